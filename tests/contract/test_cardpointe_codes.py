"""What CardPointe's response codes mean: every one that it publishes, and what is not published."""

import pytest

from shared.providers.cardpointe_codes import (
    APPROVALS,
    Said,
    is_documented,
    meaning,
    never_again,
    word,
)

DOCUMENTED = {
    "PPS": (
        "00A 01A 08A 09A 11C 12C 13C 14C 15C 16C 17C 18C 19C 21C 22C 23C 24C 25C 26A 27C "
        "28C 29C 31C 32C 33C 34C 35C 36C 37C 38C 39C 41C 42C 43C 44C 45C 46C 48C 61B 62B "
        "63C 64C 65C 66C 70C 71C 91C 92C 93C 94C 95C 96C 97C 98C 99C 101C 102C 103C 104C "
        "105C 106B"
    ),
    "AMEX": (
        "000A 001A 002A 003A 100C 101C 103C 105C 107C 109C 110C 111C 115C 116C 121C 122C "
        "181C 182B 187C 188C 200C 400A"
    ),
    "FNOR": (
        "00A 10A 76A 85A 01C 03C 05C 12C 13C 14C 25C 28B 51C 54C 55C 57C 60C 61C 63C 69C "
        "75C 89C 91B 94C 1AC 1BC C2C CEC N3C NGC NHC NIC NKC NLB NMC NNC NPC NQC NRC NSC "
        "NUC RWC"
    ),
    "NASH": (
        "00A 10A 76A 85A 01C 03C 05C 12C 13C 14C 25C 28B 51C 54C 55C 57C 60C 61C 63C 69C "
        "75C 89C 91B 94C C2C CEC N3C NGC NHC NIC NKC NLB NMC NNC NPC NQC NRC NSC NUC RWC"
    ),
    "FOMA": ("0A 00A 01C 02C 03C 04C 05C 06C 07C 08C 09B 10A 11B 12C 13C 14C 76A 99C"),
    "FDMS": ("0A 3C 4C 6C 7C A00A"),
    "RPCT": (
        "000A 001C 002A 003A 100C 101C 102C 104C 105C 106C 107C 108C 109C 110C 114C 116C "
        "117C 118C 119C 120C 121C 122C 123C 124C 129C 130C 131C 132C 150C 151C 152C 153C "
        "154C 155C 156C 157C 208C 209C 302C 303C 304C 308C 311C 315C 316C 317C 318C 319C "
        "320C 321C 322C 323C 326C 327C 328C 329C 330C 331C 332C 333C 334C 336C 337C 338C "
        "339C 340C 341C 342C 343C 344C 351C 355C 357C 359C 367C 368C 369C 370C 372C 373C "
        "374C 375C 376C 377C 378C 380C 381C 382C 383C 384C 385C 401C 402C 403C 404C 500C "
        "501C 502C 503C 504C 505B 506C 507C 508B 509C 510C 511B 512C 513C 514C 515C 516B "
        "517C 518C 519C 520C 521C 522C 523C 524C 525C 526C 527C 528C 529C 530C 531C 532C "
        "540C 541C 542C 550C 551C 552C 553C 554C 555C 556C 557C 558C 559C 560C 561C 562C "
        "563C 564C 565C 566C 567C 568C 569C 701A 702C 703A 704C 708A 721C 722C 723C 724C "
        "726C 727C 728C 729C 731C 740C 767C 771C 772C 773C 774C 775C 776C 782C 785A 790C "
        "791C 792C 801C 802C 803C 804C 805C 806C 807C 808C 809C 810C 811C 812C 813C 814C "
        "815C 816C 817C 818C 819C 820C 821C 822C 823C 824C 825C 826C 902C 904C 906C 907C "
        "908C 909C 911C 913C 914C 915C 920B 921C 923C 924C 940C 941C 942C 944C 950C 954C "
        "958C 959C 963C"
    ),
    "ELV": ("00A 01C 03C 05C 06C 07C 08C 09C"),
    "PPAL": ("00A 0004C 0601C 0602C 0609C 0617A"),
    "PTAM": (
        "00A 01C 02C 03C 04C 05C 06C 07C 08A 09C 10A 11A 12C 13C 14C 15C 16C 17C 18C 19B "
        "23C 30C 33C 38C 40C 43C 54C 57C 58C 63C 91C 92C 93C 97B 98B 99B"
    ),
    "PMT": (
        "000B 100A 101A 102A 104A 105A 106A 107A 108A 110A 200B 201C 202C 203C 204C 220C "
        "225C 227C 231C 233C 234C 236C 238C 239C 241C 243C 245C 248C 249C 253C 258C 260C "
        "275C 299B 301C 302C 303C 304C 305C 306C 307C 401C 402C 501C 502C 503C 508C 509C "
        "510C 519C 521C 522C 530C 531C 532C 570C 571C 591C 592C 594C 596C 602C 603C 605C "
        "606C 607C 802C 806C 811C 825C 833C 902B 903C 904C"
    ),
    "VPS": (
        "00A 01C 02C 03C 04C 05C 06C 07C 08A 10A 11A 12C 13B 14B 15C 19B 21B 23C 28B 33C "
        "34C 36C 39C 41C 43C 51C 54C 55C 57C 58C 59C 61C 62C 63C 65C 75C 76C 78C 80C 81C "
        "82C 85A 91C 92C 93C 96B CVC EAC EBC H1C HVC N7C V1C"
    ),
    "MNS": (
        "00A 01A 02C 03C 04C 05C 06C 07C 12C 13C 14C 15C 19B 21B 23C 28B 34C 39C 40C 41C "
        "43C 51C 54C 55C 57C 58C 59C 61C 62C 63C 65C 75C 76C 78C 80C 81C 82C 85A 91C 92C "
        "93C 96B 98C 99C N7C"
    ),
    "DPS": (
        "00A 01C 02C 03C 04C 05C 06C 07C 08A 10A 11A 12C 13C 14C 15C 16A 19B 20C 30C 31B "
        "33C 34C 35C 39C 41C 43C 51C 52C 54C 56C 57C 58C 59C 60C 61C 62C 65C 67C 76C 77A "
        "91C A5C AFB APB AQC BHC BNC BYB CCC D2C D4C D5C D9C J1C J2C J4C J5C J8C J9C NUC "
        "O4C QGC QHC U9B Y2B YGC"
    ),
    "PSTR": (
        "00A 01C 02C 03C 04C 05C 06C 07C 08C 09C 10C 11C 12C 13C 14C 15C 16C 17C 18C 19C "
        "20C 21C 28C 37C 40C 46C 99C"
    ),
    "CRDX": ("-9C 0A 00A 1C 2C 02C 03C 04C 05C 7C 08C 9C 13C 14C 54C 59C 76C 83A 89C 91C 99C"),
    "VANT": (
        "00A 02C 03C 04C 05C 06C 07C 08A 10A 11A 12C 13C 14C 15C 17C 19B 23C 27C 28C 30C "
        "33C 38C 39C 41C 43C 51C 52C 53C 54C 55C 56C 57C 58C 61C 62C 63C 65C 67C 75C 78C "
        "79C 81C 82C 83C 85A 88C 91C 92B 93C 94C 95C 96B 97A 98C 99C"
    ),
}
"""As published: by processor each code, followed by its status."""

EVERY = [
    (proc, entry[:-1], entry[-1]) for proc, codes in DOCUMENTED.items() for entry in codes.split()
]
NO = {Said.SOFT, Said.FINAL, Said.REFUSED, Said.UNANSWERED}


def test_every_published_code_is_classified_as_its_status_says() -> None:
    assert len(EVERY) == len(set(EVERY)) > 800
    unknown = [one for one in EVERY if not is_documented(*one[:2])]
    assert unknown == []
    wrong = [one for one in EVERY if (meaning(*one) in APPROVALS) != (one[2] == "A")]
    assert wrong == []


def test_no_code_is_both_a_payment_and_something_else() -> None:
    assert {one for one in EVERY if meaning(*one) is Said.PARTIAL} == {
        ("AMEX", "002", "A"),
        ("FNOR", "10", "A"),
        ("NASH", "10", "A"),
        ("PTAM", "10", "A"),
        ("RPCT", "002", "A"),
        ("VANT", "10", "A"),
        ("VPS", "10", "A"),
    }
    reversed_or_checked = [("FNOR", "76"), ("FNOR", "85"), ("AMEX", "400"), ("PPS", "09")]
    assert {meaning(*one, "A") for one in reversed_or_checked} == {Said.NO_PAYMENT}


@pytest.mark.parametrize(
    ("proc", "code", "said"),
    [
        ("RPCT", "100", Said.SOFT),
        ("RPCT", "116", Said.SOFT),
        ("RPCT", "208", Said.FINAL),
        ("RPCT", "302", Said.FINAL),
        ("RPCT", "791", Said.FINAL),
        ("FNOR", "05", Said.SOFT),
        ("FNOR", "60", Said.FINAL),
        ("VPS", "41", Said.FINAL),
        ("PMT", "570", Said.FINAL),
        ("PPS", "96", Said.FINAL),
        ("PPS", "98", Said.FINAL),
        ("PPS", "97", Said.REFUSED),
        ("PPS", "32", Said.REFUSED),
        ("PPS", "41", Said.REFUSED),
        ("FNOR", "03", Said.REFUSED),
        ("RPCT", "109", Said.REFUSED),
        ("PPS", "61", Said.UNANSWERED),
        ("PPS", "62", Said.UNANSWERED),
        ("PPS", "65", Said.UNANSWERED),
        ("FOMA", "09", Said.UNANSWERED),
        ("RPCT", "505", Said.SOFT),
        ("VPS", "19", Said.SOFT),
    ],
)
def test_a_no_is_soft_final_refused_or_unanswered(proc: str, code: str, said: Said) -> None:
    stat = {(one[0], one[1]): one[2] for one in EVERY}[proc, code]
    assert meaning(proc, code, stat) is said


DUPLICATES = [
    ("PPS", "36"),
    ("FNOR", "94"),
    ("NASH", "94"),
    ("RPCT", "913"),
    ("PMT", "234"),
    ("VANT", "94"),
    ("VANT", "98"),
    ("MNS", "98"),
    ("CRDX", "99"),
    ("PSTR", "01"),
]


@pytest.mark.parametrize(("proc", "code"), DUPLICATES)
def test_a_duplicate_is_no_decline_until_the_record_says_so(proc: str, code: str) -> None:
    assert meaning(proc, code, "C") is Said.UNANSWERED


@pytest.mark.parametrize("stat", ["B", "C"])
def test_a_no_with_an_unknown_code_may_be_tried_again(stat: str) -> None:
    assert not is_documented("RPCT", "998")
    assert meaning("RPCT", "998", stat) is Said.SOFT
    assert meaning("NEW", "05", stat) is Said.SOFT


def test_the_status_decides_where_the_code_says_otherwise() -> None:
    assert meaning("RPCT", "000", "C") is Said.SOFT
    assert meaning("RPCT", "208", "A") is Said.APPROVED
    assert meaning("RPCT", "998", "A") is Said.APPROVED


@pytest.mark.parametrize("stat", ["", "D", "approved"])
def test_anything_else_than_a_b_and_c_is_no_answer(stat: str) -> None:
    assert meaning("RPCT", "000", stat) is Said.UNANSWERED


@pytest.mark.parametrize(
    ("token", "category", "advice", "never"),
    [
        ("9478825000121443", "1", "", True),
        ("9478825000121443", "2", "", False),
        ("9478825000121443", "", "R1", True),
        ("9478825000121443", "", "02", True),
        ("9545454545454545", "", "02", False),
        ("9545454545454545", "", "03", True),
        ("9545454545454545", "", "24", False),
        ("9371449635398431", "", "03", False),
        ("", "", "", False),
    ],
)
def test_the_networks_own_advice_ends_a_card(
    token: str, category: str, advice: str, never: bool
) -> None:
    assert never_again(token, category, advice) is never


def test_what_all_providers_know_has_the_same_word() -> None:
    assert word("RPCT", "116") == word("FNOR", "NU") == "insufficient_funds"
    assert word("RPCT", "208") == "lost_card"
    assert word("RPCT", "504") == "RPCT-504"
    words = {word(proc, code) for proc, code, stat in EVERY if stat == "A"}
    assert all("-" in one for one in words)
