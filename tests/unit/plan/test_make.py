# SPDX-License-Identifier: GPL-3.0-or-later
"""A plan is what the choice means for this VM on this machine, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fakes import hosts, starts
from vitrail.model.boot import InitramfsTool
from vitrail.model.choice import Basic, Choice, Passthrough, Qxl, Sriov, Virgl, Virtio
from vitrail.model.errors import Refused
from vitrail.model.host_step import arguments_of
from vitrail.model.kernel_argument import PlanToken
from vitrail.model.knowledge import Knowledge
from vitrail.model.machine import Host, MachineKind, MediatedDevice
from vitrail.model.plan import GuardStrength, Plan, When, Writer
from vitrail.model.reading import Known, Unknown
from vitrail.model.step import EditVm, HostStep, ResumeAtLogin
from vitrail.model.text import text
from vitrail.model.vm import Vm
from vitrail.plan.make import make_plan
from vitrail.xmldoc.vm import read_vm

KNOWLEDGE = Knowledge("test", (), ())
NOT_ASKED = Unknown(text("tests.unread"))
CARD = hosts.nvidia_card()
QXL_WITH_SPICE = """
    <channel type='spicevmc'><target type='virtio' name='com.redhat.spice.0'/></channel>
    <graphics type='spice' autoport='yes'/>
    <audio id='1' type='spice'/>
    <video>
      <model type='qxl' ram='65536' vram='65536' vgamem='16384' heads='2' primary='yes' device='qxl-vga'/>
      <alias name='ua-v'/>
      <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='0x0'/>
    </video>
    <video><model type='virtio'/></video>"""


def hostdev(bus: int, function: int = 0, slot: int = 0) -> str:
    return (
        "<hostdev mode='subsystem' type='pci' managed='yes'><source>"
        f"<address domain='0x0000' bus='{bus:#04x}' slot='{slot:#04x}' function='{function:#x}'/></source></hostdev>"
    )


def vm(devices: str = QXL_WITH_SPICE) -> Vm:
    return read_vm(
        "<domain type='kvm'>\n  <name>win11</name>\n  <uuid>c7a5fdbd-edaf-9455-926a-d65c16db1809</uuid>\n"
        "  <memory>4194304</memory>\n  <os><type arch='x86_64' machine='q35'>hvm</type></os>\n"
        f"  <devices>{devices}\n  </devices>\n</domain>\n",
        state=NOT_ASKED,
        has_managed_save=NOT_ASKED,
        autostart=NOT_ASKED,
    )


def plan(machine: Vm, choice: Choice, host: Host | None = None, **can: object) -> Plan:
    capabilities = Known(hosts.capabilities(**can), "test")
    return make_plan(host or hosts.host(CARD, hosts.amd_integrated()), machine, choice, capabilities, KNOWLEDGE)


def after(machine: Vm, choice: Choice, host: Host | None = None, **can: object) -> str:
    steps = plan(machine, choice, host, **can).steps
    return next((step.after for step in steps if isinstance(step, EditVm)), machine.text)


def free_card_host() -> Host:
    """A machine whose card is held by nothing and bound to vfio-pci already, so that no step on it is needed."""
    functions = tuple(replace(one, driver=hosts.known("vfio-pci")) for one in CARD.functions)
    card = replace(CARD, device=functions[0], functions=functions)
    return hosts.host(card, hosts.amd_integrated())


def test_virtio_replaces_every_display_and_keeps_address_and_alias() -> None:
    words = after(vm(), Virtio())
    assert words.count("<video>") == 1
    assert "<model type='virtio' heads='2' primary='yes'/>" in words
    assert "<alias name='ua-v'/>" in words
    assert "bus='0x00' slot='0x02'" in words
    assert "<graphics type='spice' autoport='yes'/>" in words


def test_a_display_without_a_way_to_see_it_gets_vnc_on_this_computer_only() -> None:
    words = after(vm("\n    <video>\n      <model type='qxl'/>\n    </video>"), Virtio())
    assert "<graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'>" in words
    assert "<listen type='address' address='127.0.0.1'/>" in words


def test_spice_stays_off_the_network_while_channels_hang_on_it() -> None:
    made = plan(vm(), Virtio(screen="vnc"))
    words = after(vm(), Virtio(screen="vnc"))
    assert "<listen type='none'/>" in words
    assert "type='vnc'" in words
    assert "<audio id='1' type='spice'/>" in words
    assert "plan.spice-kept" in {finding.id for finding in made.findings}


def test_spice_goes_with_its_sound_where_nothing_hangs_on_it() -> None:
    devices = (
        "\n    <graphics type='spice'/>\n    <audio id='1' type='spice'/>\n    <video><model type='virtio'/></video>"
    )
    words = after(vm(devices), Virtio(screen="vnc"))
    assert "spice" not in words
    assert "<audio id='1' type='none'/>" in words


def test_a_virtual_mode_takes_the_card_and_its_sound_out_and_leaves_the_rest() -> None:
    network = hosts.device("05:00.0", hosts.ETHERNET, group=20)
    given = hostdev(1) + hostdev(1, 1) + hostdev(5)
    host = hosts.host(CARD, others=(network,))
    words = after(vm(QXL_WITH_SPICE + given), Virtio(), host)
    assert hostdev(5) in words
    assert hostdev(1) not in words
    assert hostdev(1, 1) not in words


def test_a_device_that_is_not_here_stays_with_a_warning() -> None:
    made = plan(vm(QXL_WITH_SPICE + hostdev(0x42)), Virtio())
    assert hostdev(0x42) in after(vm(QXL_WITH_SPICE + hostdev(0x42)), Virtio())
    assert "plan.hostdev-stays" in {finding.id for finding in made.findings}


def test_a_mediated_device_of_a_card_goes_and_another_stays() -> None:
    def mediated(uuid: str) -> str:
        source = f"<source><address uuid='{uuid}'/></source>"
        return f"<hostdev mode='subsystem' type='mdev' model='vfio-pci'>{source}</hostdev>"

    ours, other = (f"{digit * 8}-0000-4000-8000-000000000000" for digit in "12")
    host = hosts.host(
        CARD,
        mediated_devices=(
            MediatedDevice(ours, "nvidia-63", CARD.address),
            MediatedDevice(other, "x", hosts.at("09:00.0")),
        ),
    )
    words = after(vm(QXL_WITH_SPICE + mediated(ours) + mediated(other)), Virtio(), host)
    assert mediated(ours) not in words
    assert mediated(other) in words


def test_virgl_draws_on_the_chosen_card_by_its_place() -> None:
    words = after(vm(), Virgl(gpu=CARD.address))
    assert "<acceleration accel3d='yes'/>" in words
    assert "<gl rendernode='/dev/dri/by-path/pci-0000:01:00.0-render'/>" in words
    assert "<graphics type='spice' autoport='yes'/>" in words


def test_virgl_in_a_local_window_leaves_the_network() -> None:
    words = after(vm(), Virgl(screen="spice"))
    assert "<gl enable='yes'/>" in words
    assert "<listen type='none'/>" in words
    assert "egl-headless" not in words


def test_virgl_without_a_card_goes_on_drawing_where_the_vm_draws_now() -> None:
    node = "/dev/dri/by-path/pci-0000:0e:00.0-render"
    local = f"<graphics type='spice'><listen type='none'/><gl enable='yes' rendernode='{node}'/></graphics>"
    words = after(vm(local + "<video><model type='virtio'/></video>"), Virgl())
    assert words.count(f"<gl rendernode='{node}'/>") == 1
    assert words.count("<gl ") == 1


def test_leaving_virgl_drops_what_draws() -> None:
    words = after(vm(), Virgl())
    back = read_vm(words, state=NOT_ASKED, has_managed_save=NOT_ASKED, autostart=NOT_ASKED)
    plain = after(back, Virtio())
    assert "accel" not in plain
    assert "egl-headless" not in plain


@pytest.mark.parametrize(
    ("offered", "picked"), [(("vga", "bochs"), "vga"), (("bochs", "ramfb"), "bochs"), (("ramfb",), "ramfb")]
)
def test_basic_is_the_plainest_that_there_is(offered: tuple[str, ...], picked: str) -> None:
    words = after(vm(), Basic(), video_models=offered)
    assert f"<model type='{picked}' heads='1' primary='yes'/>" in words
    assert ("slot='0x02'" in words) is (picked != "ramfb")


def test_a_model_that_this_qemu_has_not_is_refused() -> None:
    with pytest.raises(Refused):
        plan(vm(), Qxl(), video_models=("virtio",))


def test_a_mode_that_is_not_written_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        plan(vm(), Sriov(CARD.address))
    assert caught.value.what.id == "plan.mode-not-written"


def test_a_card_that_is_not_there_is_refused() -> None:
    with pytest.raises(Refused) as caught:
        plan(vm(), Passthrough(hosts.at("77:00.0")))
    assert caught.value.what.id == "plan.no-such-card"


def test_passthrough_gives_all_functions_managed_and_keeps_the_screen() -> None:
    words = after(vm(), Passthrough(CARD.address), free_card_host())
    assert words.count("managed='yes'") == 2
    assert "<model type='qxl'" in words
    assert "kvm>" not in words


def test_passthrough_of_a_free_card_can_be_carried_out() -> None:
    made = plan(vm(), Passthrough(CARD.address), free_card_host())
    assert [phase.writer for phase in made.phases] == [Writer.VM]
    assert made.writable
    assert [identity.address.function for identity in made.identities] == [0, 1]


def test_dropping_the_screen_is_a_second_plan() -> None:
    host = free_card_host()
    with_card = vm(after(vm(), Passthrough(CARD.address), host).split("<devices>")[1].split("\n  </devices>")[0])
    words = after(with_card, Passthrough(CARD.address, emulated_screen="drop"), host)
    assert "<model type='none'/>" in words


def test_kvm_is_hidden_only_when_asked() -> None:
    words = after(vm(), Passthrough(CARD.address, hide_kvm=True), free_card_host())
    assert "<hidden state='on'/>" in words


@pytest.mark.parametrize("choice", [Virtio(), Virgl(), Qxl(), Basic(), Passthrough(CARD.address)], ids=repr)
def test_a_plan_for_what_is_there_already_has_no_steps(choice: Choice) -> None:
    host = free_card_host()
    done = read_vm(after(vm(), choice, host), state=NOT_ASKED, has_managed_save=NOT_ASKED, autostart=NOT_ASKED)
    made = plan(done, choice, host)
    assert made.steps == ()
    assert made.losses == ()


def test_the_same_plan_has_the_same_id_and_another_machine_another() -> None:
    host = hosts.host(CARD)
    assert plan(vm(), Virtio(), host).plan_id == plan(vm(), Virtio(), replace(host, read_at=5.0)).plan_id
    assert plan(vm(), Virtio(), host).plan_id != plan(vm(), Virtio(), replace(host, digest="other")).plan_id
    assert plan(vm(), Virtio(), host).plan_id != plan(vm(), Qxl(), host).plan_id


def _vf_host(*, functions_of_slot: bool) -> Host:
    """A card with two virtual functions in its slot; each may be told with its siblings or alone."""
    whole = hosts.device("09:00.0", hosts.VGA, hosts.INTEL, 0xE212, group=15, driver="xe")
    parts = tuple(
        hosts.device(f"09:00.{number}", hosts.DISPLAY_3D, hosts.INTEL, 0xE212, group=15 + number, physical="09:00.0")
        for number in (1, 2)
    )
    told = [(part, *(one for one in parts if one is not part and functions_of_slot)) for part in parts]
    return hosts.host(hosts.amd_integrated(), hosts.gpu(whole), *(hosts.gpu(*functions) for functions in told))


@pytest.mark.parametrize("functions_of_slot", [False, True])
def test_only_the_virtual_function_of_a_vm_leaves_it(*, functions_of_slot: bool):
    devices = f"{QXL_WITH_SPICE}\n    {hostdev(9, 1)}\n    {hostdev(9, 7)}\n"
    made = plan(vm(devices), Virtio(), _vf_host(functions_of_slot=functions_of_slot))
    after = made.steps[0].after
    assert hostdev(9, 1) not in after
    assert hostdev(9, 7) in after
    assert [one.id for one in made.findings if one.id.startswith("plan.hostdev")] == ["plan.hostdev-stays"]


def test_an_unknown_boot_stack_is_said_once():
    lit = hosts.nvidia_card(outputs=(hosts.output(),))
    machine = hosts.host(lit, hosts.amd_integrated(), stack=NOT_ASKED)
    made = plan(vm(), Passthrough(lit.address), machine)
    ids = [one.id for one in made.findings]
    assert ids.count("boot.stack") == 1
    assert "plan.boot-stack-unknown" not in ids


IN_USE = hosts.nvidia_card(outputs=(hosts.output(),), holders=hosts.holders(hosts.process()))


BACK = ResumeAtLogin("autostart/test.desktop", "[Desktop Entry]\n")


def in_use(start: str = "grub-debian", **changed: object) -> Host:
    """A machine that uses the card, starts this way and keeps another screen."""
    return hosts.host(IN_USE, hosts.amd_integrated(), **starts.start(start, **changed))


def test_a_card_in_use_is_tried_kept_and_only_then_given():
    made = plan(vm(), Passthrough(IN_USE.address), in_use())
    assert [(phase.name, phase.writer, phase.when) for phase in made.phases] == [
        ("prepare-host", Writer.HOST, When.APPLY),
        ("keep-host", Writer.HOST, When.KEEP),
        ("vm", Writer.VM, When.KEPT),
    ]
    assert made.writable
    assert made.needs_reboot
    assert made.guard is not None
    assert made.guard.strength is GuardStrength.AUTOMATIC


def test_the_way_back_after_the_restart_comes_first_and_changes_no_id():
    capabilities = Known(hosts.capabilities(), "test")
    choice = Passthrough(IN_USE.address)
    made = make_plan(in_use(), vm(), choice, capabilities, KNOWLEDGE, autostart=BACK)
    assert (made.phases[0].name, made.phases[0].writer, made.phases[0].when) == ("resume", Writer.USER, When.APPLY)
    assert made.plan_id == plan(vm(), choice, in_use()).plan_id
    without = make_plan(free_card_host(), vm(), Passthrough(CARD.address), capabilities, KNOWLEDGE, autostart=BACK)
    assert [phase.name for phase in without.phases] == ["vm"]


def test_every_step_on_the_host_names_the_plan_that_it_is_of():
    made = plan(vm(), Passthrough(IN_USE.address), in_use())
    tokens = {
        argument.plan_id
        for step in made.steps
        if isinstance(step, HostStep)
        for argument in arguments_of(step.change)
        if isinstance(argument, PlanToken)
    }
    assert tokens == {made.plan_id}


def test_two_machines_and_two_starts_have_two_ids():
    choice = Passthrough(IN_USE.address)
    first = plan(vm(), choice, in_use())
    assert first.plan_id == plan(vm(), choice, in_use()).plan_id
    assert first.plan_id != plan(vm(), choice, replace(in_use(), digest="other")).plan_id
    assert first.plan_id != plan(vm(), choice, in_use("kernel-install")).plan_id


def test_the_only_card_with_a_picture_is_refused_with_the_way_out():
    alone = hosts.host(IN_USE, **starts.start("grub-debian"))
    with pytest.raises(Refused) as caught:
        plan(vm(), Passthrough(IN_USE.address), alone)
    (only,) = [finding for finding in caught.value.findings if finding.stops]
    assert (only.id, only.remedy) == ("card.only-screen", text("judge.only-screen.remedy"))


def test_a_dark_prompt_is_shown_and_not_written_where_only_the_guard_could_help():
    first = replace(IN_USE, boot_vga=hosts.known(value=True))
    others = hosts.amd_integrated(boot_vga=False)
    choice = Passthrough(first.address)
    for name, writable in (("limine", False), ("grub-debian", True)):
        facts = starts.start(name, asks_passphrase=True, menu_seconds=0)
        machine = hosts.host(first, others, kind=MachineKind.RECORDING, **facts)
        made = make_plan(machine, vm(), choice, Known(hosts.capabilities(), "test"), KNOWLEDGE, autostart=BACK)
        assert {phase.writable for phase in made.phases} == {writable}
        (dark,) = [finding for finding in made.findings if finding.id == "restart.passphrase-dark"]
        assert dark.stops is not writable


def test_what_cannot_be_prepared_leaves_the_vm_as_it_is():
    made = plan(vm(), Passthrough(IN_USE.address), booster_host())
    assert [(phase.name, phase.writable) for phase in made.phases] == [("vm", False)]
    assert "host.steps" in {finding.id for finding in made.findings if finding.stops}


def booster_host() -> Host:
    """A machine whose start-up image runs no script."""
    facts = starts.start("grub-debian") | {"initramfs": InitramfsTool.BOOSTER}
    return hosts.host(IN_USE, hosts.amd_integrated(), **facts)


def test_a_card_that_a_start_left_kept_needs_no_start_again():
    kept = tuple(replace(one, driver=hosts.known("vfio-pci")) for one in IN_USE.functions)
    card = hosts.gpu(*kept, outputs=NOT_ASKED)
    made = plan(
        vm(), Passthrough(card.address), hosts.host(card, hosts.amd_integrated(), **starts.start("grub-debian"))
    )
    assert [phase.name for phase in made.phases] == ["vm"]
    assert made.guard is None
