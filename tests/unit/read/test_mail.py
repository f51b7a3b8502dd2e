"""Mails and mailboxes."""

from __future__ import annotations

import pytest

from narratives.model import RawDocument, Rejected
from tests.helpers.reading import read

HEAD = """Subject: Bridge opened
From: Port Authority of Marrow Bay <press@port.example>
To: list@example.org
Date: Sat, 02 Mar 2019 23:30:00 -0500
Message-ID: <17@port.example>
"""
PLAIN = (
    HEAD
    + """MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: quoted-printable

The mayor opened the bridge on Saturday, and said that the tolls would stay =
low.

On Fri, 1 Mar 2019, Tom Arkell wrote:
> Who pays for the bridge, and who
> pays for the ferry that nobody uses?

--=20
Press office
Pier 7
"""
)


def test_a_mail_is_a_document_of_its_sender(tmp_path):
    [document] = read(tmp_path, PLAIN, "a.eml")
    assert (document.title, document.outlet) == ("Bridge opened", "Port Authority of Marrow Bay")
    assert (document.date, document.id, document.speaker) == ("2019-03-02T23:30:00-05:00", "<17@port.example>", "")
    assert [(p.text, p.kind) for p in document.paragraphs] == [
        ("The mayor opened the bridge on Saturday, and said that the tolls would stay low.", ""),
        ("Who pays for the bridge, and who", "quote"),
        ("pays for the ferry that nobody uses?", "quote"),
    ]


def test_a_damaged_header_of_an_attachment_costs_neither_its_mail_nor_the_others(tmp_path):
    bad = (
        f'{HEAD}Content-Type: multipart/mixed; boundary="B"\n\n--B\n\nWords.\n--B\nContent-Disposition: x; filename*\n'
    )
    first, rejected, last = read(tmp_path, f"From a\n{bad}\n\n--B--\n\nFrom b\n{PLAIN}", "a.mbox")
    assert [p.text for p in first.paragraphs] == ["Words."] and last.title == "Bridge opened"
    assert isinstance(rejected, Rejected) and rejected.row == 1 and "cannot be parsed" in rejected.reason


def test_a_map_can_make_the_sender_the_speaker(tmp_path):
    [document] = read(tmp_path, PLAIN, "a.eml", {"speaker": "from"})
    assert document.speaker == "Port Authority of Marrow Bay"


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ("Content-Type: text/html\n\n<p>One.</p><p>Two.</p>", ["One.", "Two."]),
        ('Content-Type: text/plain; charset="iso-8859-2"\n\nZa\xbf\xf3\xb3\xe6.', ["Zażółć."]),
        ('Content-Type: text/plain; charset="no-such"\n\nWords.', ["Words."]),
        ("Content-Type: text/plain; format=flowed\n\nOne \nline.\n\nTwo.", ["One line.", "Two."]),
        (
            'Content-Type: multipart/alternative; boundary="B"\n\n--B\nContent-Type: text/plain\n\nPlain.\n--B\n'
            "Content-Type: text/html\n\n<p>Marked.</p>\n--B--\n",
            ["Plain."],
        ),
        ("\nPort Authority\nPier 7\n\nThe bridge is open.", ["Port Authority", "Pier 7", "The bridge is open."]),
    ],
)  # fmt: skip
def test_the_text_of_a_mail_is_found_and_decoded(tmp_path, body, texts):
    [document] = read(tmp_path, (HEAD + body).encode("latin-1"), "a.eml")
    assert [p.text for p in document.paragraphs] == texts


def test_an_attachment_with_text_is_named(tmp_path):
    body = 'Content-Type: multipart/mixed; boundary="B"\n\n--B\nContent-Type: text/plain\n\nSee below.\n'
    for name in ("speech.pdf", "logo.png"):
        body += f'--B\nContent-Type: application/x\nContent-Disposition: attachment; filename="{name}"\n\nxx\n'
    document, rejected = read(tmp_path, HEAD + body + "--B--\n", "a.eml")
    assert isinstance(document, RawDocument) and isinstance(rejected, Rejected)
    assert "speech.pdf" in rejected.reason and "logo.png" not in rejected.reason


def test_a_mail_without_text_is_rejected(tmp_path):
    [rejected] = read(tmp_path, HEAD + "Content-Type: image/png\n\nxx", "a.eml")
    assert "a mail with a text; got only image/png" in rejected.reason
    [empty] = read(tmp_path, "\n", "a.eml")
    assert "an empty file" in empty.reason


def test_each_message_of_a_mailbox_is_a_document(tmp_path):
    ferry = "Subject: Ferry\n\n>From here it sails.\n"
    box = f"From a@x Sat Mar 02 15:59:14 2019\n{PLAIN}\nFrom b@x Sun Mar 03 15:59:14 2019\n{ferry}"
    first, second = read(tmp_path, box, "a.mbox")
    assert [(d.row, d.title) for d in (first, second)] == [(1, "Bridge opened"), (2, "Ferry")]
    assert [p.text for p in second.paragraphs] == ["From here it sails."]
    [rejected] = read(tmp_path, "Dear all", "b.mbox")
    assert "begin with a line" in rejected.reason


def test_a_digest_of_a_list_is_split_into_its_messages(tmp_path):
    rule = "-" * 30
    digest = (
        "Subject: List Digest, Vol 3\nFrom: list@example.org\nDate: Mon, 04 Mar 2019 10:00:00 +0000\n\n"
        f"Today's Topics:\n\n   1. Bridge (Ann)\n\n{'-' * 70}\n\nMessage: 1\n"
        f"Date: Sat, 02 Mar 2019 09:30:00 +0000\nFrom: Ann <ann@x.example>\nSubject: Bridge\n\n"
        f"The bridge is open.\n\n{rule}\n\nMessage: 2\nDate: Sun, 03 Mar 2019 09:30:00 +0000\n"
        f"From: Bob <bob@x.example>\nSubject: Ferry\n\nThe ferry sails.\n\n{rule}\n\nSubject: Digest Footer\n\n____\n"
    )
    found = read(tmp_path, f"From x Mon Mar 04 10:00:00 2019\n{digest}", "a.mbox")
    assert [(d.row, d.title, d.outlet, d.date[:10]) for d in found] == [
        (1, "Bridge", "Ann", "2019-03-02"),
        (2, "Ferry", "Bob", "2019-03-03"),
    ]


def test_a_digest_of_attached_messages_is_split(tmp_path):
    inner = "".join(
        f"--B\nContent-Type: message/rfc822\n\nSubject: S{i}\nFrom: A <a@x.example>\n\nText {i}.\n\n" for i in (1, 2)
    )
    mail = f'Subject: Digest\nMIME-Version: 1.0\nContent-Type: multipart/digest; boundary="B"\n\n{inner}--B--\n'
    found = read(tmp_path, mail, "a.eml")
    assert [(d.title, d.paragraphs[0].text) for d in found] == [("S1", "Text 1."), ("S2", "Text 2.")]


def test_one_bad_message_does_not_spoil_the_others(tmp_path):
    bad = "Subject: " + "=?utf-8?q?a?= " * 2000
    box = f"From a@x 2019\n{bad}\n\nText.\n\nFrom b@x 2019\nSubject: Ferry\n\nIt sails.\n"
    rejected, document = read(tmp_path, box, "a.mbox")
    assert isinstance(rejected, Rejected) and "headers of up to" in rejected.reason and rejected.row == 1
    assert (document.row, document.title) == (2, "Ferry")
