"""
How large a world is: `hamlet` is the demo's story alone, `town` some hundred rows, `full` as much as PeeringDB has.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """How many rows of each type are `ok`, the story's included."""

    org: int = 0
    net: int = 0
    ix: int = 0
    netixlan: int = 0
    fac: int = 0
    netfac: int = 0
    poc: int = 0
    carrier: int = 0
    campus: int = 0
    largest: int = 0  # networks at the largest exchange
    second_lans: int = 0  # exchanges with a second LAN
    ours: int = 1  # exchanges where we are
    tombstones: int = 0  # of each of net, netfac, netixlan and poc
    dangling: int = 0  # netfac, netixlan and poc whose parent is not there, of each


SIZES = {
    "hamlet": Size(),
    "town": Size(
        org=90,
        net=170,
        ix=5,
        netixlan=290,
        fac=12,
        netfac=110,
        poc=120,
        carrier=3,
        campus=3,
        largest=140,
        second_lans=1,
        ours=3,
        tombstones=4,
        dangling=1,
    ),
    "full": Size(
        org=33000,
        net=35000,
        ix=1300,
        netixlan=70000,
        fac=5800,
        netfac=35000,
        poc=30000,
        carrier=300,
        campus=80,
        largest=1540,
        second_lans=30,
        ours=20,
        tombstones=700,
        dangling=20,
    ),
}
