"""What CardPointe's response codes mean for a payment. Pure.

The gateway (`PPS`) refuses some requests itself; of the others it hands on what the processor
behind the merchant's account said, each with codes of its own. The codes are those that CardPointe
publishes ("Gateway Response Codes"), every one of them classified.
"""

from collections.abc import Mapping
from enum import StrEnum


class Said(StrEnum):
    """What an answer means for a payment that was asked for.

    - `APPROVED`: the money will be settled. `PARTIAL`: some of it only.
    - `NO_PAYMENT`: an approval of something else (a check of the card, a reversal).
    - `SOFT`: a definite no that may be tried again. `FINAL`: not with this card.
    - `REFUSED`: the request itself, or the merchant's account; the card is not to blame.
    - `UNANSWERED`: the gateway got no answer that it could read, or was told that it had asked
      before. Only the gateway's own record of the payment says what came of it.
    """

    APPROVED = "approved"
    PARTIAL = "partial"
    NO_PAYMENT = "no_payment"
    SOFT = "soft"
    FINAL = "final"
    REFUSED = "refused"
    UNANSWERED = "unanswered"


APPROVALS = frozenset({Said.APPROVED, Said.PARTIAL, Said.NO_PAYMENT})

_CODES: Mapping[str, Mapping[Said, str]] = {
    "PPS": {
        Said.APPROVED: "00 01",
        Said.NO_PAYMENT: "08 09 26",
        Said.SOFT: "16 17 18 19 37 101 102",
        Said.FINAL: "11 13 33 44 96 98 99",
        Said.REFUSED: (
            "12 14 15 21 22 23 24 25 27 28 29 31 32 34 35 38 39 41 42 43 45 46 48 70 71 91 92 93 "
            "94 95 97 103 104 105 106"
        ),
        Said.UNANSWERED: "36 61 62 63 64 65 66",
    },
    "RPCT": {
        Said.APPROVED: "000 003 708",
        Said.PARTIAL: "002",
        Said.NO_PAYMENT: "701 703 785",
        Said.SOFT: (
            "100 101 104 105 106 107 108 114 116 117 119 121 122 123 124 132 151 152 153 154 155 "
            "156 157 304 308 311 315 316 317 319 320 321 322 323 327 329 330 331 332 337 338 339 "
            "340 341 342 343 344 351 359 367 368 369 370 372 374 375 376 377 380 381 382 383 384 "
            "401 402 500 501 502 503 505 507 508 510 511 512 516 517 518 519 521 522 523 524 525 "
            "528 529 530 531 532 540 541 542 550 551 552 553 554 555 556 557 558 559 560 561 562 "
            "563 564 565 566 567 568 569 702 721 723 724 726 727 728 740 771 772 773 774 775 776 "
            "782 792 801 802 803 804 805 806 807 808 809 810 811 812 813 814 815 816 817 818 819 "
            "820 821 822 823 824 825 826 902 906 907 908 909 920 921 924 940 941 942 954 958 959 "
            "963"
        ),
        Said.FINAL: (
            "102 118 129 131 208 209 302 303 373 378 403 504 506 509 514 526 704 729 731 767 790 "
            "791"
        ),
        Said.REFUSED: (
            "001 109 110 120 130 150 318 326 328 333 334 336 355 357 404 513 515 520 527 722 904 "
            "914 915 950"
        ),
        Said.UNANSWERED: "385 911 913 923 944",
    },
    "FNOR": {
        Said.APPROVED: "00",
        Said.PARTIAL: "10",
        Said.NO_PAYMENT: "76 85",
        Said.SOFT: (
            "01 05 12 28 51 54 55 57 61 63 75 91 1A 1B C2 CE NH NI NK NL NM NN NQ NR NS NU"
        ),
        Said.FINAL: "14 60 N3",
        Said.REFUSED: "03 13 25 69 89 NG NP RW",
        Said.UNANSWERED: "94",
    },
    "NASH": {
        Said.APPROVED: "00",
        Said.PARTIAL: "10",
        Said.NO_PAYMENT: "76 85",
        Said.SOFT: "01 05 12 28 51 54 55 57 61 63 75 91 C2 CE NH NI NK NL NM NN NQ NR NS NU",
        Said.FINAL: "14 60 N3",
        Said.REFUSED: "03 13 25 69 89 NG NP RW",
        Said.UNANSWERED: "94",
    },
    "FOMA": {
        Said.APPROVED: "0 00 10",
        Said.NO_PAYMENT: "76",
        Said.SOFT: "01 05 06 07 14 99",
        Said.FINAL: "03",
        Said.REFUSED: "02 04 11 12 13",
        Said.UNANSWERED: "08 09",
    },
    "FDMS": {
        Said.APPROVED: "0 A00",
        Said.SOFT: "3 4 6 7",
    },
    "AMEX": {
        Said.APPROVED: "000 001 003",
        Said.PARTIAL: "002",
        Said.NO_PAYMENT: "400",
        Said.SOFT: "100 101 103 107 116 121 122 182",
        Said.FINAL: "105 111 187 188 200",
        Said.REFUSED: "109 110 115 181",
    },
    "PMT": {
        Said.APPROVED: "100 105 106 107",
        Said.NO_PAYMENT: "101 102 104 108 110",
        Said.SOFT: (
            "204 233 236 239 245 253 260 275 301 302 303 401 402 508 509 510 521 522 530 531 532 "
            "594 605 802 806 811 902 903 904"
        ),
        Said.FINAL: "201 304 501 502 503 519 570 571 591 596 602 603 825",
        Said.REFUSED: (
            "202 203 220 225 227 231 238 241 243 248 249 258 305 306 307 592 606 607 833"
        ),
        Said.UNANSWERED: "000 200 234 299",
    },
    "PTAM": {
        Said.APPROVED: "00 08 11",
        Said.PARTIAL: "10",
        Said.SOFT: "01 02 05 06 09 12 16 17 19 33 38 54 57 63 91 92 93 97 98 99",
        Said.FINAL: "04 07 14 15 43",
        Said.REFUSED: "03 13 18 23 30 40 58",
    },
    "VPS": {
        Said.APPROVED: "00 08 11",
        Said.PARTIAL: "10",
        Said.NO_PAYMENT: "85",
        Said.SOFT: (
            "01 02 05 06 12 14 19 28 33 36 39 51 54 55 57 59 61 62 63 65 75 78 81 82 91 92 93 96 "
            "CV H1 HV N7 V1"
        ),
        Said.FINAL: "04 07 15 34 41 43 EA EB",
        Said.REFUSED: "03 13 23 58 76 80",
        Said.UNANSWERED: "21",
    },
    "VANT": {
        Said.APPROVED: "00 08 11 85 97",
        Said.PARTIAL: "10",
        Said.SOFT: (
            "02 05 06 12 17 19 27 28 33 38 39 51 52 53 54 55 56 57 61 62 63 65 75 78 79 81 82 83 "
            "88 91 92 93 95 96 99"
        ),
        Said.FINAL: "04 07 14 15 41 43 67",
        Said.REFUSED: "03 13 23 30 58",
        Said.UNANSWERED: "94 98",
    },
    "ELV": {
        Said.APPROVED: "00",
        Said.SOFT: "01 05 06 07 09",
        Said.FINAL: "03",
        Said.REFUSED: "08",
    },
    "MNS": {
        Said.APPROVED: "00 01",
        Said.NO_PAYMENT: "85",
        Said.SOFT: (
            "02 05 06 12 19 28 39 40 51 54 55 57 59 61 62 63 65 75 78 81 82 91 92 93 96 99 N7"
        ),
        Said.FINAL: "04 07 14 15 34 41 43",
        Said.REFUSED: "03 13 23 58 76 80",
        Said.UNANSWERED: "21 98",
    },
    "DPS": {
        Said.APPROVED: "00 08 10 11 16 77",
        Said.SOFT: (
            "01 02 05 06 12 19 31 33 35 39 51 52 54 57 60 61 62 65 67 76 91 A5 AP BN BY D5 QH Y2 YG"
        ),
        Said.FINAL: "04 07 14 15 34 41 43 56 59 NU",
        Said.REFUSED: "03 13 30 58 AQ BH CC D2 D4 D9 J1 J2 J4 J5 J8 J9 O4 QG",
        Said.UNANSWERED: "AF U9 20",
    },
    "CRDX": {
        Said.APPROVED: "0 00",
        Said.NO_PAYMENT: "83",
        Said.SOFT: "1 2 02 03 05 54 89 91",
        Said.FINAL: "14 59 76 9",
        Said.REFUSED: "-9 7 13",
        Said.UNANSWERED: "04 08 99",
    },
    "PPAL": {
        Said.APPROVED: "00",
        Said.NO_PAYMENT: "0617",
        Said.SOFT: "0601 0602",
        Said.REFUSED: "0004 0609",
    },
    "PSTR": {
        Said.APPROVED: "00",
        Said.SOFT: "02 04 05 06 07 08 09 13",
        Said.FINAL: "28",
        Said.REFUSED: "03 10 14 15 16 17 18 19 20 37 40 46",
        Said.UNANSWERED: "01 11 12 21 99",
    },
}
"""By `respproc`: the codes (`respcode`) of each meaning."""

_SAID: Mapping[tuple[str, str], Said] = {
    (proc, code): said
    for proc, meanings in _CODES.items()
    for said, codes in meanings.items()
    for code in codes.split()
}

_WORDS: Mapping[str, str] = {
    "insufficient_funds": (
        "RPCT-116 FNOR-NU NASH-NU AMEX-116 PMT-302 PMT-521 VPS-51 MNS-51 DPS-51 VANT-51"
    ),
    "expired_card": (
        "PPS-16 RPCT-101 RPCT-509 RPCT-510 RPCT-511 FNOR-54 NASH-54 FOMA-06 AMEX-101 ELV-06 "
        "PTAM-33 PTAM-54 PMT-522 VPS-54 MNS-54 DPS-33 DPS-54 VANT-33 VANT-54 CRDX-54 PSTR-08"
    ),
    "incorrect_cvc": (
        "PPS-37 RPCT-517 RPCT-954 RPCT-958 RPCT-959 FNOR-C2 NASH-C2 FOMA-14 AMEX-103 AMEX-122 "
        "PMT-531 PMT-811 VPS-82 VPS-N7 MNS-82 VANT-82 PSTR-07"
    ),
    "lost_card": "RPCT-208 PMT-502 VPS-41 MNS-41 DPS-41 VANT-41",
    "stolen_card": "RPCT-209 VPS-43 MNS-43 DPS-43 VANT-43",
    "do_not_honor": ("RPCT-100 FNOR-05 NASH-05 PTAM-05 PMT-530 VPS-05 MNS-05 DPS-05 VANT-05"),
    "card_missing": "PPS-96",
}
"""Codes that mean what the same word means at every provider."""

_WORD_FOR: Mapping[str, str] = {
    code: word for word, codes in _WORDS.items() for code in codes.split()
}

NEVER_AGAIN_CATEGORY = "1"
"""Visa's decline category for what the card's bank will never approve."""

_NEVER_AGAIN_ADVICE: Mapping[str, frozenset[str]] = {
    "2": frozenset({"03", "05", "06", "07", "21", "41"}),
    "4": frozenset({"02", "03", "21", "R0", "R1", "R3"}),
    "5": frozenset({"03", "05", "06", "07", "21", "41"}),
}
"""By the first digit of the card: advice to merchants that the account is closed, or that the
customer has stopped such payments. The same number means another thing at the other network."""


def is_documented(proc: str, code: str) -> bool:
    """Whether the code is one of those that CardPointe publishes."""
    return (proc, code) in _SAID


def meaning(proc: str, code: str, stat: str) -> Said:
    """What `respproc`, `respcode` and `respstat` say together. `respstat` decides whether it is an
    approval (A) or not (B, C); of a code that no document names nothing more is known than that.
    Anything else than A, B and C is no answer."""
    said = _SAID.get((proc, code))
    match stat:
        case "A":
            return said if said in APPROVALS else Said.APPROVED
        case "B" | "C":
            return Said.SOFT if said is None or said in APPROVALS else said
        case _:
            return Said.UNANSWERED


def never_again(token: str, category: str, advice: str) -> bool:
    """Whether the card's network says beside a decline that this card is not to be tried again
    ([HARD]). A token's second digit is the first of the card's number."""
    if category == NEVER_AGAIN_CATEGORY:
        return True
    return advice in _NEVER_AGAIN_ADVICE.get(token[1:2], frozenset())


def word(proc: str, code: str) -> str:
    """The decline code as staff see it: a word that all providers share, else the processor's."""
    said = f"{proc}-{code}"
    return _WORD_FOR.get(said, said)
