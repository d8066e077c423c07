"""How the field work of the simulated demo study went: who declined and why, how each team was asked, who answered.

The counts are written out rather than drawn because the demo has to reproduce the totals of the article exactly
(748 approached, 495 returned, 476 analysed in 36 of 42 teams) and because some teams are there for a reason: a team
of 4 that must be withheld, whose academy has one other team (14), so that the academy must be withheld with it; and, the
year before, a team of 4 that gets one report together with a sibling team.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Mode(StrEnum):
    """In a team meeting with a researcher, in one with a briefed contact person, or online by personal links."""

    RESEARCHER = "researcher"
    CONTACT = "contact"
    ONLINE = "online"


@dataclass(frozen=True)
class TeamCount:
    """What happened in one team that took part.

    `present` counts the teachers in the room where the questionnaire was filled in, whether or not they answered; in
    an online collection there is no room, so it is 0.
    """

    mode: Mode
    approached: int
    present: int
    analysed: int
    not_eligible: int = 0
    screened_out: int = 0

    @property
    def returned(self) -> int:
        return self.analysed + self.not_eligible + self.screened_out


class Reason(StrEnum):
    REORGANISATION = "reorganisation"
    WORKLOAD = "workload"
    OTHER = "other"


@dataclass(frozen=True)
class Refusal:
    reason: Reason
    explanation: str


@dataclass(frozen=True)
class Fieldwork:
    """One wave. Refusals are those of an academy (its director's no covers all its teams) or of a team's leader."""

    declined_academies: dict[str, Refusal]
    declined_teams: dict[str, Refusal]
    counts: dict[str, TeamCount]


_RESEARCHER, _CONTACT, _ONLINE = Mode.RESEARCHER, Mode.CONTACT, Mode.ONLINE

MAIN_WAVE = Fieldwork(
    declined_academies={
        "DRI-ECO": Refusal(
            Reason.REORGANISATION,
            "De academie wordt gereorganiseerd; ik wil de vijf teams nu niet met een onderzoek belasten.",
        ),
    },
    declined_teams={
        "ZUI-TOU": Refusal(
            Reason.WORKLOAD, "Het team bereidt de visitatie voor en heeft dit half jaar geen vergadertijd over."
        ),
    },
    counts={
        # team: mode, approached, present, analysed, not eligible, screened out
        "EEM-LBO": TeamCount(_RESEARCHER, 33, 23, 21, 1),
        "EEM-LBD": TeamCount(_CONTACT, 19, 12, 11, 1),
        "EEM-NED": TeamCount(_RESEARCHER, 18, 13, 12),
        "EEM-WIS": TeamCount(_CONTACT, 15, 10, 10),
        "EEM-PED": TeamCount(_CONTACT, 24, 17, 15, 0, 1),
        "EEM-VPK": TeamCount(_RESEARCHER, 36, 27, 23, 2),
        "EEM-FYS": TeamCount(_CONTACT, 22, 15, 15),
        "EEM-ERG": TeamCount(_CONTACT, 14, 10, 9),
        "WAD-WTB": TeamCount(_RESEARCHER, 25, 18, 16, 1),
        "WAD-ELE": TeamCount(_RESEARCHER, 20, 15, 13, 0, 1),
        "WAD-MAR": TeamCount(_CONTACT, 15, 8, 8),
        "WAD-CIV": TeamCount(_CONTACT, 19, 12, 12),
        "DRI-VPK": TeamCount(_RESEARCHER, 34, 22, 20, 1),
        "DRI-LGP": TeamCount(_CONTACT, 14, 11, 10),
        "DRI-VED": TeamCount(_CONTACT, 16, 11, 11),
        "MAA-ENG": TeamCount(_CONTACT, 20, 14, 13),
        "MAA-GES": TeamCount(_RESEARCHER, 14, 9, 9),
        "MAA-LBO": TeamCount(_RESEARCHER, 29, 21, 18, 0, 1),
        "MAA-CHE": TeamCount(_CONTACT, 17, 12, 11),
        "MAA-BOU": TeamCount(_CONTACT, 24, 17, 15, 1),
        "MAA-ICT": TeamCount(_ONLINE, 35, 0, 21, 2),
        "POL-TUA": TeamCount(_RESEARCHER, 19, 13, 13),
        "POL-DIV": TeamCount(_CONTACT, 23, 18, 16, 1),
        "POL-BOS": TeamCount(_CONTACT, 18, 14, 12, 0, 1),
        "POL-VMT": TeamCount(_RESEARCHER, 20, 15, 14),
        "POL-PLA": TeamCount(_RESEARCHER, 9, 5, 4),
        "ZUI-CEC": TeamCount(_CONTACT, 31, 21, 19, 1),
        "ZUI-COM": TeamCount(_CONTACT, 21, 15, 13, 0, 1),
        "ZUI-FAC": TeamCount(_CONTACT, 12, 7, 7),
        "VLI-BED": TeamCount(_RESEARCHER, 28, 20, 18, 1),
        "VLI-ACC": TeamCount(_ONLINE, 18, 0, 12),
        "VLI-VAS": TeamCount(_ONLINE, 11, 0, 6, 1),
        "VLI-HRM": TeamCount(_CONTACT, 22, 16, 15),
        "HEI-MEC": TeamCount(_RESEARCHER, 15, 11, 10),
        "HEI-TBK": TeamCount(_ONLINE, 13, 0, 8),
        "HEI-IPO": TeamCount(_CONTACT, 25, 18, 16, 1),
    },
)

EARLIER_WAVE = Fieldwork(
    declined_academies={},
    declined_teams={
        "EEM-LBD": Refusal(Reason.OTHER, "We zijn als team pas dit jaar begonnen; volgend jaar doen we graag mee."),
        "ZUI-FAC": Refusal(Reason.WORKLOAD, "Twee collega's zijn langdurig ziek; het team kan er nu niets bij hebben."),
    },
    counts={
        "EEM-LBO": TeamCount(_RESEARCHER, 31, 21, 19, 1),
        "EEM-NED": TeamCount(_RESEARCHER, 17, 12, 11),
        "EEM-WIS": TeamCount(_RESEARCHER, 16, 11, 10, 1),
        "EEM-PED": TeamCount(_CONTACT, 22, 15, 14),
        "EEM-VPK": TeamCount(_RESEARCHER, 38, 22, 20, 1),
        "EEM-FYS": TeamCount(_RESEARCHER, 21, 14, 13),
        "EEM-ERG": TeamCount(_CONTACT, 13, 9, 8),
        "WAD-WTB": TeamCount(_RESEARCHER, 26, 17, 15, 0, 1),
        "WAD-ELE": TeamCount(_RESEARCHER, 19, 13, 12),
        "WAD-MAR": TeamCount(_CONTACT, 16, 5, 4),
        "WAD-CIV": TeamCount(_CONTACT, 18, 11, 11),
        "DRI-VPK": TeamCount(_RESEARCHER, 32, 20, 18, 1),
        "DRI-LGP": TeamCount(_RESEARCHER, 13, 9, 9),
        "DRI-VED": TeamCount(_CONTACT, 17, 11, 10),
        "MAA-ENG": TeamCount(_RESEARCHER, 21, 14, 12, 1),
        "MAA-GES": TeamCount(_RESEARCHER, 13, 8, 8),
        "MAA-LBO": TeamCount(_CONTACT, 27, 18, 16, 0, 1),
        "POL-TUA": TeamCount(_RESEARCHER, 18, 12, 11),
        "POL-DIV": TeamCount(_RESEARCHER, 22, 15, 14, 1),
        "POL-BOS": TeamCount(_CONTACT, 17, 11, 10),
        "POL-VMT": TeamCount(_RESEARCHER, 19, 12, 12),
        "POL-PLA": TeamCount(_RESEARCHER, 10, 7, 6),
        "ZUI-CEC": TeamCount(_ONLINE, 30, 0, 17, 1),
        "ZUI-COM": TeamCount(_ONLINE, 20, 0, 12),
    },
)
