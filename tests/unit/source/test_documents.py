# SPDX-License-Identifier: GPL-3.0-or-later
"""libvirt's documents are found wherever they lie in a recording, by what they are."""

from __future__ import annotations

import os
import time

import pytest

from vitrail.source.documents import DocumentKind, find_documents, root_element
from vitrail.source.root import FolderRoot, MemoryRoot

CAPABILITIES, DOMAIN_CAPABILITIES, NODE_DEVICE, DOMAIN = DocumentKind


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<domain type='kvm'>", "domain"),
        (b"<domain/>", "domain"),
        (b"<domain\n>", "domain"),
        (b"\xef\xbb\xbf<?xml version='1.0'?>\r\n<!-- <device/> -->\n<?a b?><domain>", "domain"),
        (b"\n\n  <capabilities>", "capabilities"),
        (b"<domainCapabilities>", "domainCapabilities"),
        (b"<domain", None),
        (b"", None),
        (b"<!-- never ends", None),
        (b"<?xml never ends", None),
        (b"<!DOCTYPE domain><domain/>", None),
        (b"name: guest", None),
        (b"\xff\xfe<\x00d\x00", None),
    ],
)
def test_the_first_element_is_found_without_parsing(content: bytes, name: str | None):
    assert root_element(content) == name


@pytest.mark.parametrize(
    "content", [b"<!---->" * 140_000, b"<!--" * 250_000, b" " * 1_000_000, b"<" + b"a" * 1_000_000, b"<??>" * 250_000]
)
def test_a_megabyte_costs_no_more_than_its_length(content: bytes):
    start = time.perf_counter()
    assert root_element(content) is None
    assert time.perf_counter() - start < 1


@pytest.mark.parametrize("kind", DocumentKind)
@pytest.mark.parametrize(
    "path", ["x.xml", "domains/x.xml", "a/b/c/Some Thing.XML", "capabilities.xml", "nodedev/x.xml"]
)
def test_the_root_element_decides_and_no_name(kind: DocumentKind, path: str):
    top = MemoryRoot({f"libvirt/{path}": f"<{kind.value}/>".encode()}, {})
    found = find_documents(top)
    assert found[kind] == (f"libvirt/{path}",)
    assert sum(map(len, found.values())) == 1


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("domains/x.xml", DOMAIN),
        ("domains/caps.xml", DOMAIN),
        ("win10.xml", DOMAIN),
        ("capybara.xml", DOMAIN),
        ("capabilities.xml", CAPABILITIES),
        ("domcapabilities.xml", DOMAIN_CAPABILITIES),
        ("domain-capabilities/x.xml", DOMAIN_CAPABILITIES),
        ("nodedev/x.xml", NODE_DEVICE),
    ],
)
def test_what_cannot_be_told_is_what_its_name_says(path: str, kind: DocumentKind):
    assert find_documents(MemoryRoot({f"libvirt/{path}": b"<broken"}, {}))[kind] == (f"libvirt/{path}",)


def test_other_documents_are_left_alone_but_not_among_domains():
    files = {f"libvirt/{path}.xml": b"<network/>" for path in ("networks/default", "default", "domains/default")}
    found = find_documents(MemoryRoot({**files, "libvirt/domains.toml": b"", "root/x.xml": b"<domain/>"}, {}))
    assert found[DOMAIN] == ("libvirt/domains/default.xml",)
    assert sum(map(len, found.values())) == 1


def test_links_are_followed_inside_and_each_file_counts_once(tmp_path):
    domains = tmp_path / "libvirt" / "domains"
    (domains / "autostart").mkdir(parents=True)
    (domains / "guest.xml").write_text("<domain/>")
    (domains / "autostart" / "guest.xml").symlink_to("../guest.xml")
    (domains / "again").symlink_to(".")
    (domains / "up").symlink_to("/libvirt")
    (domains / "away").symlink_to("../../../..")
    (domains / "self.xml").symlink_to("self.xml")
    (domains / "passwd.xml").symlink_to("../../../../etc/passwd")
    (domains / "folder.xml").mkdir()
    os.mkfifo(domains / "pipe.xml")
    found = find_documents(FolderRoot(tmp_path))
    names = {path.rpartition("/")[2] for path in found[DOMAIN]}
    assert names == {"guest.xml", "self.xml", "passwd.xml"}
    assert len(found[DOMAIN]) == 3


def test_too_large_a_document_is_told_and_not_read(tmp_path):
    (tmp_path / "libvirt").mkdir()
    (tmp_path / "libvirt" / "guest.xml").write_text("<network>" + " " * 1024 * 1024)
    assert find_documents(FolderRoot(tmp_path))[DOMAIN] == ("libvirt/guest.xml",)
