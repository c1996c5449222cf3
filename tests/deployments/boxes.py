"""
Routers that exist in memory, with the semantics of platforms that no test can start: their images are not free.

What a driver does when it is told to confirm or to go back at the wrong time differs by platform, and FRR, which the
lab runs, refuses it. These behave as NAPALM's drivers and the platforms behind them do (Junos: `commit` and
`rollback 1`; EOS: a commit that waits belongs to its session, and `close` aborts it).
"""

from contextlib import contextmanager, suppress

from netbox_peering_manager.services.deployment import line
from netbox_peering_manager.services.devices.credentials import Credentials
from netbox_peering_manager.services.devices.device import Device


class Box:
    """
    A router. A configuration is a list of lines, a neighbour is Established when its AS number is the right one.
    `calls`: what it was told, `messages`: with which words it was told to commit. `at`: what else happens when it is
    told something, by the name of that.
    """

    def __init__(self, asns, running=()):
        self.asns, self.running, self.before = asns, list(running), []
        self.pending, self.owner = False, None
        self.calls, self.messages, self.at, self.accepted = [], [], {}, {}

    def told(self, what):
        self.calls.append(what)
        if action := self.at.get(what):
            action()

    def commit(self, lines, waits, owner=None):
        self.before, self.running = self.running, lines
        self.pending, self.owner = waits, owner

    def revert(self):
        """The time is over: that is a commit of its own, which `rollback 1` would undo."""
        if self.pending:
            self.commit(self.before, False)

    def established(self, text):
        words = text.split()
        return self.asns.get(words[1]) == int(words[3])


class JunosLike:
    def __init__(self, box):
        self.box, self.candidate = box, None

    def load_merge_candidate(self, config):
        lines = [text.strip() for text in config.splitlines() if text.strip()]
        named = {tuple(text.split()[:2]) for text in lines}
        self.candidate = [old for old in self.box.running if tuple(old.split()[:2]) not in named] + lines

    def load_replace_candidate(self, config):
        self.candidate = [text.strip() for text in config.splitlines() if text.strip()]

    def compare_config(self):
        self.box.told("compare")
        old, new = self.box.running, self.candidate or self.box.running
        rows = [f"-  {text}" for text in old if text not in new] + [f"+  {t}" for t in new if t not in old]
        return "\n".join(["[edit protocols bgp]", *rows]) if rows else ""

    def commit_config(self, message="", revert_in=None):
        self.box.told("commit")
        self.box.messages.append(message)
        self.box.commit(self.candidate, revert_in is not None, self)
        self.candidate = None
        self.box.told("committed")

    def confirm_commit(self):
        """An empty commit: it succeeds whatever there is to confirm."""
        self.box.told("confirm")
        self.box.commit(self.box.running, False)

    def rollback(self):
        self.box.told("rollback")
        self.box.commit(self.box.before, False)

    def has_pending_commit(self):
        self.box.told("pending")
        return self.box.pending

    def discard_config(self):
        self.candidate = None

    def get_config(self, retrieve="all"):
        return {"running": "\n".join(self.box.running)}

    def get_bgp_neighbors(self):
        self.box.told("neighbors")
        peers = {
            text.split()[1]: {
                "remote_as": int(text.split()[3]),
                "is_up": self.box.established(text),
                "address_family": {"ipv4": {"accepted_prefixes": self.box.accepted.get(text.split()[1], 5)}},
            }
            for text in self.box.running
        }
        return {"global": {"router_id": "", "peers": peers}}

    def get_bgp_neighbors_detail(self):
        return {}

    def close(self):
        self.discard_config()


class EosLike(JunosLike):
    def commit_config(self, message="", revert_in=None):
        if message:
            raise NotImplementedError("Commit message not implemented for this platform")
        super().commit_config(revert_in=revert_in)

    def confirm_commit(self):
        if self.box.owner is not self:
            raise RuntimeError("No pending commit-confirm found!")
        super().confirm_commit()

    def close(self):
        if self.box.pending and self.box.owner is self:
            self.box.revert()


class NxosLike(JunosLike):
    """Lists the lines that are missing, as netutils does."""

    def load_merge_candidate(self, config):
        super().load_merge_candidate(config)
        self.loaded = [text.strip() for text in config.splitlines() if text.strip()]

    def compare_config(self):
        self.box.told("compare")
        return "\n".join(text for text in self.loaded if text not in self.box.running)


def put_behind(monkeypatch, box, driver=JunosLike):
    """Let every line to a router end at this one."""

    @contextmanager
    def connect(access, credentials, secrets=()):
        opened = driver(box)
        try:
            yield Device(access, opened, secrets)
        finally:
            with suppress(Exception):
                opened.close()

    monkeypatch.setattr(line, "connect", connect)
    monkeypatch.setattr(line, "profile", lambda name, owner: Credentials("netbox", password="x"))
