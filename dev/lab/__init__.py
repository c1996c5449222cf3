"""
A lab of real routers: the demo's peering LAN in network namespaces, with FRR, BIRD and OpenBGPD (`make lab`).

    plan.py       who is on the LAN, out of the demo's data; pure
    texts.py      each daemon's configuration; pure
    network.py    namespaces, the LAN's bridge, the way to each of our routers
    enter.py      becomes a machine: runs inside a namespace, with files of its own, and starts the daemons
    access.py     keys, users and the sshd of our routers
    lab.py        start, look, stop: `Lab`

The LAN's bridge lies in a namespace of its own, so that nothing of this host, not even another checkout's lab, is in
the way of the demo's addresses. What belongs to a lab is known by its namespaces, whose names hold the checkout.
"""
