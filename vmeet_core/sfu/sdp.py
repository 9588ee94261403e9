"""What our answers say beyond what aiortc writes: feedback that we give ourselves, and how Opus should be sent."""

import re

from vmeet_core.sfu.transport_feedback import TRANSPORT_SEQUENCE

OPUS = "minptime=10;useinbandfec=1"
OFFERED_ID = 4  #: of the header extension in our offers; aiortc uses 1 to 3


def enrich_answer(answer: str, offer: str) -> str:
    """The answer to a publisher, with transport-wide feedback where it was offered, and Opus with in-band FEC."""
    offered = {_mid(section): section for section in _sections(offer)[1:]}
    head, *sections = _sections(answer)
    return "".join([head, *(_enrich(section, offered.get(_mid(section), "")) for section in sections)])


def enrich_offer(offer: str) -> str:
    """The offer to a receiver: Opus with in-band FEC (RFC 7587, section 6.1), reports on every packet of pictures."""
    head, *sections = _sections(offer)
    return "".join([head, *(_with_reports(_with_fec(section)) for section in sections)])


def _with_reports(section: str) -> str:
    if not section.startswith("m=video"):
        return section
    accepted = re.findall(r"(?m)^a=rtpmap:(\d+) (?!rtx/)", section)
    return _append(section, f"a=extmap:{OFFERED_ID} {TRANSPORT_SEQUENCE}", *(_report_line(n) for n in accepted))


def _report_line(payload_type: str) -> str:
    return f"a=rtcp-fb:{payload_type} transport-cc"


def _append(section: str, *lines: str) -> str:
    return section.rstrip("\r\n") + "\r\n" + "".join(f"{line}\r\n" for line in lines)


def _sections(sdp: str) -> list[str]:
    return re.split(r"(?m)^(?=m=)", sdp)


def _mid(section: str) -> str:
    found = re.search(r"(?m)^a=mid:(\S+)", section)
    return found[1] if found else ""


def _enrich(section: str, offered: str) -> str:
    section = _with_fec(section)
    extension = re.search(rf"(?m)^a=extmap:(\d+)(/\S+)? {re.escape(TRANSPORT_SEQUENCE)}", offered)
    types = set(re.findall(r"(?m)^a=rtcp-fb:(\S+) transport-cc", offered))
    accepted = re.findall(r"(?m)^a=rtpmap:(\d+) (?!rtx/)", section)
    wanted = [number for number in accepted if number in types or "*" in types]
    if extension is None or not wanted or section.startswith("m=application"):
        return section
    return _append(section, f"a=extmap:{extension[1]} {TRANSPORT_SEQUENCE}", *(_report_line(n) for n in wanted))


def _with_fec(section: str) -> str:
    opus = re.search(r"(?m)^a=rtpmap:(\d+) opus/48000/2\r?\n", section, re.IGNORECASE)
    if opus is None or f"a=fmtp:{opus[1]} " in section:
        return section
    return section[: opus.end()] + f"a=fmtp:{opus[1]} {OPUS}\r\n" + section[opus.end() :]


def transport_sequence_id(offer: str) -> int:
    """The header-extension id of transport-wide sequence numbers that an offer names; 0 for none."""
    found = re.search(rf"(?m)^a=extmap:(\d+)(/\S+)? {re.escape(TRANSPORT_SEQUENCE)}", offer)
    return int(found[1]) if found and 0 < int(found[1]) < 15 else 0
