# SPDX-License-Identifier: GPL-3.0-or-later
"""A domain's text is read, or refused with the place; nothing in it can reach beyond it."""

from __future__ import annotations

import pytest

from vitrail.model.errors import Unreadable
from vitrail.model.mode import Mode
from vitrail.model.pci import PciAddress
from vitrail.model.reading import Known, Unknown
from vitrail.model.text import text
from vitrail.model.vm import GuestSystem, Vm
from vitrail.xmldoc.capabilities import read_domain_capabilities
from vitrail.xmldoc.vm import read_vm

NOT_ASKED = Unknown(text("tests.unread"))
QEMU = "xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'"


def read(words: str) -> Vm:
    return read_vm(words, state=NOT_ASKED, has_managed_save=NOT_ASKED, autostart=NOT_ASKED)


def domain(devices: str = "", rest: str = "", attributes: str = "") -> str:
    return (
        f"<domain type='kvm' {attributes}><name>a</name><memory unit='MiB'>2</memory>"
        f"<os><type arch='x86_64' machine='q35'>hvm</type></os>{rest}<devices>{devices}</devices></domain>"
    )


def refusal(words: str) -> Unreadable:
    with pytest.raises(Unreadable) as caught:
        read(words)
    return caught.value


def test_a_doctype_is_refused_with_its_place() -> None:
    refused = refusal("<?xml version='1.0'?>\n<!-- a -->\n <!DOCTYPE domain [<!ENTITY a 'b'>]>\n" + domain())
    assert refused.what == text("xmldoc.doctype", line=3, column=2)


def test_an_entity_bomb_is_refused_before_it_is_parsed() -> None:
    bomb = "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 9))
    assert refusal(f"<!DOCTYPE domain [<!ENTITY a0 'x'>{bomb}]>" + domain()).what.id == "xmldoc.doctype"


def test_two_roots_are_refused_with_line_and_column() -> None:
    refused = refusal(domain() + "\n" + domain())
    assert dict(refused.what.args)["line"] == 2
    assert dict(refused.what.args)["column"] == 1


def test_an_unclosed_document_is_refused() -> None:
    assert refusal(domain()[:-3]).what.id == "xmldoc.malformed"


def test_an_empty_text_is_refused() -> None:
    assert refusal("").what.id == "xmldoc.malformed"


def test_a_snapshot_is_refused_with_a_hint_at_the_domain_inside() -> None:
    refused = refusal(f"<domainsnapshot>{domain()}</domainsnapshot>")
    assert refused.what.id == "xmldoc.not-a-domain"
    assert refused.next_steps[0].id == "xmldoc.not-a-domain.wrapped"


def test_a_document_over_the_limit_is_refused() -> None:
    assert refusal(domain(rest="<!--" + "x" * 1024 * 1024 + "-->")).what.id == "xmldoc.too-large"


def test_a_byte_order_mark_and_an_encoding_declaration_are_no_obstacle() -> None:
    assert read("\ufeff<?xml version='1.0' encoding='UTF-16'?>\n" + domain()).name == "a"


def test_half_a_character_is_refused() -> None:
    assert refusal(domain(rest="<title>\udc80</title>")).what.id == "xmldoc.encoding"


@pytest.mark.parametrize(
    ("bus", "slot"), [("0x0a", "0x00"), ("10", "0"), ("0X0A", "0x0"), ("012", "00")], ids=["hex", "dec", "big", "octal"]
)
def test_an_address_is_read_in_any_base(bus: str, slot: str) -> None:
    vm = read(
        domain(f"<hostdev type='pci'><source><address bus='{bus}' slot='{slot}' function='0x1'/></source></hostdev>")
    )
    assert vm.hostdevs[0].pci == PciAddress(0, 10, 0, 1)


@pytest.mark.parametrize("bus", ["%BUS%", "", "0x100", "08"])
def test_an_address_that_cannot_be_read_is_marked(bus: str) -> None:
    vm = read(domain(f"<hostdev type='pci'><source><address bus='{bus}' slot='0' function='0'/></source></hostdev>"))
    assert not vm.hostdevs[0].readable


def test_memory_is_read_with_its_unit() -> None:
    assert read(domain()).memory_kib == 2048


@pytest.mark.parametrize(
    ("video", "mode"),
    [
        ("<model type='virtio'/>", Mode.VIRTIO),
        ("<model type='virtio'><acceleration accel3d='yes'/></model>", Mode.VIRGL),
        ("<model type='qxl'/>", Mode.QXL),
        ("<model type='vga'/>", Mode.BASIC),
        ("<model type='bochs'/>", Mode.BASIC),
        ("<model type='ramfb'/>", Mode.BASIC),
        ("<model type='cirrus'/>", None),
    ],
)
def test_a_video_model_is_a_mode(video: str, mode: Mode | None) -> None:
    assert [one.mode for one in read(domain(f"<video>{video}</video>")).graphics] == [mode]


def test_no_video_is_no_graphics() -> None:
    assert read(domain("<video><model type='none'/></video>")).graphics == ()


def test_venus_is_seen_under_any_prefix() -> None:
    override = (
        "<q:override xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'><q:device alias='ua-v'><q:frontend>"
        "<q:property name='venus' type='bool' value='true'/></q:frontend></q:device></q:override>"
    )
    video = "<video><model type='virtio'><acceleration accel3d='yes'/></model><alias name='ua-v'/></video>"
    words = domain(video).replace("</domain>", override + "</domain>")
    assert [one.mode for one in read(words).graphics] == [Mode.VENUS]


def test_looking_glass_is_seen_in_json_arguments() -> None:
    arguments = (
        "<qemu:commandline><qemu:arg value='-device'/>"
        "<qemu:arg value='{&quot;driver&quot;:&quot;ivshmem-plain&quot;,&quot;memdev&quot;:&quot;m&quot;}'/>"
        "<qemu:arg value='{&quot;mem-path&quot;:&quot;/dev/kvmfr0&quot;}'/></qemu:commandline>"
    )
    assert read(domain(attributes=QEMU).replace("</domain>", arguments + "</domain>")).looking_glass


def test_the_system_inside_is_told_by_libosinfo() -> None:
    info = (
        "<metadata><l:libosinfo xmlns:l='http://libosinfo.org/xmlns/libvirt/domain/1.0'>"
        "<l:os id='http://debian.org/debian/12'/></l:libosinfo></metadata>"
    )
    assert read(domain(rest=info)).guest == Known(GuestSystem.LINUX, "metadata/libosinfo")


def test_an_enum_that_is_not_listed_is_unknown_and_an_empty_one_is_empty() -> None:
    capabilities = read_domain_capabilities(
        "<domainCapabilities><domain>kvm</domain><arch>x86_64</arch><devices>"
        "<hostdev supported='yes'><enum name='pciBackend'/></hostdev><graphics supported='no'/></devices>"
        "</domainCapabilities>"
    )
    assert isinstance(capabilities.video_models, Unknown)
    assert isinstance(capabilities.pci_backends, Known)
    assert capabilities.pci_backends.value == ()
    assert isinstance(capabilities.graphics_types, Known)
    assert capabilities.graphics_types.value == ()
