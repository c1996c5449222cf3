"""
Every method of the driver against a real router with real sessions, and what goes wrong with routers. What the sessions
do is asked of the daemons themselves (`lab.state`), not of the driver.
"""

import contextlib
import fcntl
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest
from napalm import get_network_driver
from napalm.base.exceptions import (
    CommandErrorException,
    CommandTimeoutException,
    CommitConfirmException,
    CommitError,
    ConnectAuthError,
    ConnectionClosedException,
    ConnectionException,
    ConnectTimeoutError,
    LockError,
    MergeConfigException,
    ReplaceConfigException,
)

from dev.lab import looking
from dev.lab.plan import SESSION_PASSWORD
from dev.lab.texts import router_with_sessions

pytestmark = pytest.mark.lab
FRR_MEMBER, BIRD_MEMBER, WITH_PASSWORD, NEW = (
    "198.51.100.11",
    "198.51.100.12",
    "198.51.100.13",
    "198.51.100.16",
)
MEMBERS = {64496, 64497, 64498}
PATIENCE_S = 25
DESCRIPTION = f"router bgp 64500\n neighbor {FRR_MEMBER} description changed\nexit\n"
NO_SUCH_GROUP = """\
router bgp 64500
 neighbor 198.51.100.11 description half
 neighbor 198.51.100.12 peer-group NOSUCH
exit
"""


def eventually(condition, seconds=PATIENCE_S):
    """Wait until it holds. Returns its last value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < deadline:
        time.sleep(0.2)
    return value


@pytest.fixture(scope="module")
def router(lab):
    return lab.routers["edge1.lon1"]


@pytest.fixture(scope="module")
def everyone(lab):
    return list(lab.nodes.values())


@pytest.fixture(scope="module")
def base(lab, everyone):
    """The configuration that each test begins with: sessions with three members, one of them with a password."""
    return router_with_sessions(lab.nodes["edge1.lon1"], everyone, asns=MEMBERS)


@pytest.fixture
def connect(router):
    """Make drivers that are closed afterwards; keywords replace what is right."""
    made = []

    def make(*, opened=True, user=router.user, password="", timeout=20, host=router.host, **optional_args):
        arguments = router.optional_args | optional_args
        driver = get_network_driver("frr")(host, user, password, timeout=timeout, optional_args=arguments)
        made.append(driver)
        if opened:
            driver.open()
        return driver

    yield make
    for driver in made:
        driver.close()


@pytest.fixture(scope="module")
def begun(router):
    """What the router runs once it has the base configuration, kept from the first test that made it."""
    return {}


@pytest.fixture
def driver(connect, base, begun, folder):
    """A connection to a router with the base configuration, saved."""
    driver = connect()
    if (folder / "var-lib" / "napalm-frr" / "pending").exists():
        driver.rollback()
    if begun.get("running") != looking.running(folder) or begun["startup"] != startup(folder):
        driver.load_replace_candidate(config=base)
        driver.commit_config()
        begun |= {"running": looking.running(folder), "startup": startup(folder)}
    return driver


@pytest.fixture
def established(driver, lab):
    """The router's six sessions are Established on both ends."""
    assert eventually(lambda: len(lab.established_on_both_ends("edge1.lon1")) == 2 * len(MEMBERS)), (
        lab.state()
    )


@pytest.fixture
def folder(router):
    return Path(router.folder)


def flaps(folder):
    """By neighbour, how often its session was Established and when the last time began (to 2 s: FRR rounds)."""
    return {
        address: (record["connectionsEstablished"], record["bgpTimerUpEstablishedEpoch"] // 10)
        for address, record in looking.neighbors(folder).items()
        if record["bgpState"] == "Established"
    }


def counts(folder):
    return {address: count for address, (count, _since) in flaps(folder).items()}


def startup(folder):
    return (folder / "etc-frr" / "frr.conf").read_text()


@contextlib.contextmanager
def stopped(pid):
    """A process that hangs for the time of the block."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def cut(driver):
    """The connection ends, and neither side says good-bye."""
    driver.device._client.get_transport().sock.close()


# Compare, commit, discard, roll back


@pytest.mark.usefixtures("established")
def test_merge_shows_what_would_change_and_changes_it_without_touching_a_session(driver, folder):
    before = counts(folder)
    driver.load_merge_candidate(
        config=DESCRIPTION
        + f"router bgp 64500\n neighbor {BIRD_MEMBER} remote-as 64497\n no neighbor 203.0.113.99\nexit\n"
    )
    assert driver.compare_config() == "\n".join(
        [
            "  router bgp 64500",
            f"- neighbor {FRR_MEMBER} description as64496",
            f"+ neighbor {FRR_MEMBER} description changed",
        ]
    )
    assert "changed" not in looking.running(folder)
    driver.commit_config(message="ticket 7; it's $(not) `run`")
    assert f"neighbor {FRR_MEMBER} description changed" in looking.running(folder)
    assert f"neighbor {FRR_MEMBER} description changed" in startup(folder)
    assert driver.compare_config() == ""
    assert counts(folder) == before
    assert "ticket 7; it's $(not) `run`" in (folder / "var-lib" / "napalm-frr" / "log").read_text()


def test_merges_out_of_files_and_texts_are_committed_together_and_the_router_keeps_none(
    driver, folder, tmp_path
):
    (tmp_path / "change.conf").write_text(DESCRIPTION)
    driver.load_merge_candidate(filename=str(tmp_path / "change.conf"))
    driver.load_merge_candidate(config="ip prefix-list MORE seq 5 permit 203.0.113.0/24\n")
    driver.commit_config()
    assert "description changed" in looking.running(folder)
    assert "ip prefix-list MORE seq 5 permit 203.0.113.0/24" in looking.running(folder)
    kept = folder / "var-lib" / "napalm-frr"
    assert kept.stat().st_mode & 0o777 == 0o700
    assert (kept / "previous.conf").stat().st_mode & 0o777 == 0o600
    assert eventually(lambda: not [*kept.glob("work.*"), *kept.glob("out.*"), *kept.glob("router-*.sh.*")], 5)


MERGES = {
    "delete and add": """\
no router bgp 64500 vrf X
router bgp 64500
no neighbor 198.51.100.12 remote-as 64497
no neighbor 203.0.113.9
neighbor 198.51.100.16 remote-as 64502
neighbor 198.51.100.16 shutdown
address-family ipv4 unicast
neighbor 198.51.100.16 activate
""",
    "change": """\
bfd
 profile IX
  detect-multiplier 4
 exit
exit
route-map PEER-IN permit 10
 set local-preference 200
exit
ip prefix-list A seq 5 permit 10.0.0.0/8 le 32
router bgp 64500
 neighbor 198.51.100.11 timers connect 9
 neighbor 2001:DB8:100::B description Six
 address-family ipv4 unicast
  neighbor 198.51.100.11 maximum-prefix 50
  neighbor 198.51.100.11 route-map PEER-IN in
  no neighbor 198.51.100.12 activate
""",
}


@pytest.mark.parametrize("candidate", MERGES.values(), ids=MERGES)
def test_what_a_merge_shows_is_what_going_back_would_undo(driver, folder, candidate):
    former = looking.running(folder)
    driver.load_merge_candidate(config=candidate)
    shown = driver.compare_config().splitlines()
    driver.commit_config()
    driver.load_replace_candidate(config=former)
    undone = driver.compare_config().splitlines()

    def leaves(rows, sign):
        return {row[2:] for row in rows if row.startswith(sign)}

    # Going back names a block that goes as a whole by its first line only, and FRR adds what is its default.
    assert leaves(shown, "-") == leaves(undone, "+") - leaves(shown, "+")
    assert leaves(undone, "-") <= leaves(shown, "+")
    assert leaves(shown, "+")


@pytest.mark.usefixtures("established")
def test_replace_deletes_and_adds_neighbours_and_leaves_the_other_sessions_up(driver, folder, lab, everyone):
    before = counts(folder)
    driver.load_replace_candidate(
        config=router_with_sessions(lab.nodes["edge1.lon1"], everyone, asns={64496, 64498, 64502})
    )
    shown = driver.compare_config()
    assert f"- neighbor {BIRD_MEMBER} remote-as 64497" in shown
    assert f"+ neighbor {NEW} remote-as 64502" in shown
    driver.commit_config()
    assert eventually(lambda: NEW in lab.established_on_both_ends("edge1.lon1"))
    after = counts(folder)
    assert BIRD_MEMBER not in after
    unrelated = {FRR_MEMBER, WITH_PASSWORD, "2001:db8:100::b", "2001:db8:100::d"}
    assert {address: after[address] for address in unrelated} == {
        address: before[address] for address in unrelated
    }


@pytest.mark.usefixtures("established")
def test_live_sessions_keep_their_established_epoch_over_commit_and_rollback(driver, folder):
    before = flaps(folder)
    driver.load_merge_candidate(config=DESCRIPTION)
    driver.commit_config()
    driver.rollback()
    after = flaps(folder)
    assert {address: count for address, (count, _) in after.items()} == {
        a: count for a, (count, _) in before.items()
    }
    assert all(abs(after[address][1] - before[address][1]) <= 1 for address in before)


def test_discarded_candidate_is_gone_and_nothing_was_changed(driver, folder):
    before = looking.running(folder)
    driver.load_merge_candidate(config=DESCRIPTION)
    assert driver.get_config()["candidate"] == DESCRIPTION
    driver.discard_config()
    assert driver.compare_config() == ""
    assert driver.get_config()["candidate"] == ""
    with pytest.raises(CommitError, match="No candidate"):
        driver.commit_config()
    assert looking.running(folder) == before


def test_rollback_goes_back_to_before_the_last_commit_from_another_connection_too(driver, connect, folder):
    before = looking.running(folder)
    driver.load_merge_candidate(config=DESCRIPTION)
    driver.commit_config()
    driver.close()
    other = connect()
    other.rollback()
    assert looking.running(folder) == before
    assert "changed" not in startup(folder)
    other.rollback()
    assert looking.running(folder) == before


def test_router_on_which_nothing_was_committed_has_nothing_to_go_back_to(connect):
    with pytest.raises(CommitError, match="no former configuration"):
        connect(state_dir="/var/lib/another").rollback()


# Commits that wait to be confirmed


def test_commit_that_is_confirmed_stays(driver, connect, folder):
    driver.load_merge_candidate(config=DESCRIPTION)
    driver.commit_config(revert_in=60)
    assert driver.has_pending_commit()
    assert connect().has_pending_commit()
    timer = int((folder / "var-lib" / "napalm-frr" / "pending").read_text().split()[-1])
    assert Path(f"/proc/{timer}").exists()
    assert "changed" in looking.running(folder)
    assert "changed" not in startup(folder), "a router that restarts now comes up as before"
    driver.confirm_commit()
    assert not driver.has_pending_commit()
    assert "changed" in startup(folder)
    assert eventually(lambda: not Path(f"/proc/{timer}").exists(), 5)
    assert "changed" in looking.running(folder)


@pytest.mark.usefixtures("established")
def test_commit_that_nobody_confirms_is_reverted_though_the_connection_is_cut(driver, connect, folder):
    before, sessions = looking.running(folder), counts(folder)
    driver.load_merge_candidate(config=DESCRIPTION)
    driver.commit_config(revert_in=2)
    cut(driver)
    assert driver.is_alive() == {"is_alive": False}
    with pytest.raises(ConnectionClosedException):
        driver.has_pending_commit()
    assert "changed" in looking.running(folder)
    assert eventually(lambda: looking.running(folder) == before)
    other = connect()
    assert eventually(lambda: not other.has_pending_commit())
    assert counts(folder) == sessions
    with pytest.raises(CommitConfirmException, match="not confirmed in time, reverted at"):
        other.confirm_commit()


def test_commit_is_refused_while_another_waits_and_rolling_back_ends_the_waiting(driver, connect, folder):
    before = looking.running(folder)
    driver.load_merge_candidate(config=DESCRIPTION)
    driver.commit_config(revert_in=60)
    other = connect()
    other.load_merge_candidate(config="ip prefix-list MORE seq 5 permit 203.0.113.0/24\n")
    with pytest.raises(CommitConfirmException, match=r"a commit waits until .*Confirm it or roll it back"):
        other.commit_config()
    assert "MORE" not in looking.running(folder)
    other.rollback()
    assert looking.running(folder) == before
    assert not driver.has_pending_commit()
    with pytest.raises(CommitConfirmException, match="rolled back"):
        driver.confirm_commit()


def test_connection_cut_in_the_middle_of_a_commit_leaves_the_former_or_the_new_configuration(
    driver, connect, folder, base
):
    former, wide = (
        looking.running(folder),
        base
        + "".join(
            f"ip prefix-list WIDE seq {number} permit 10.0.{number}.0/24\n" for number in range(1, 200)
        ),
    )
    driver.load_replace_candidate(config=wide)
    with contextlib.suppress(ConnectionClosedException):
        timer = threading.Timer(0.25, cut, [driver])
        timer.start()
        driver.commit_config(revert_in=3)
    other = connect()
    assert eventually(lambda: not other.has_pending_commit() and looking.running(folder) == former)


def test_commit_that_waits_is_void_after_the_router_was_restarted(driver, folder):
    driver.load_merge_candidate(config=DESCRIPTION)
    driver.commit_config(revert_in=60)
    pending = folder / "var-lib" / "napalm-frr" / "pending"
    one, deadline, boot, timer = pending.read_text().split()
    os.killpg(int(timer), signal.SIGKILL)
    pending.write_text(f"{one} {deadline} {boot[::-1]} {timer}\n")
    assert not driver.has_pending_commit()
    with pytest.raises(CommitConfirmException, match="restarted before"):
        driver.confirm_commit()


def test_time_to_revert_is_at_least_a_second(driver):
    driver.load_merge_candidate(config=DESCRIPTION)
    for seconds in (0, -5):
        with pytest.raises(CommitError, match="at least 1"):
            driver.commit_config(revert_in=seconds)


# What FRR refuses


@pytest.mark.parametrize(
    ("load", "error"),
    [("load_merge_candidate", MergeConfigException), ("load_replace_candidate", ReplaceConfigException)],
)
def test_grammar_that_frr_does_not_know_is_refused_when_it_is_loaded(driver, load, error):
    with pytest.raises(error, match=r"(?s)line 2: % Unknown command.*nonsense.*line 4"):
        getattr(driver, load)(config="router bgp 64500\n nonsense\nexit\nmore nonsense\n")
    with pytest.raises(error, match="empty"):
        getattr(driver, load)(config=" \n")
    with pytest.raises(error, match="cannot be read"):
        getattr(driver, load)(filename="/nonexistent/file")
    assert driver.compare_config() == ""


@pytest.mark.usefixtures("established")
def test_configuration_that_frr_refuses_at_the_commit_leaves_the_router_as_it_was(driver, folder):
    before, saved, sessions = looking.running(folder), startup(folder), counts(folder)
    driver.load_merge_candidate(config=NO_SUCH_GROUP)
    with pytest.raises(CommitError, match=r"(?s)as it was before.*Configure the peer-group first"):
        driver.commit_config(revert_in=30)
    assert (looking.running(folder), startup(folder), counts(folder)) == (before, saved, sessions)
    assert not driver.has_pending_commit()
    driver.discard_config()
    driver.load_replace_candidate(config=before.removesuffix("end\n") + NO_SUCH_GROUP)
    with pytest.raises(CommitError, match="Configure the peer-group first"):
        driver.commit_config()
    assert (looking.running(folder), startup(folder), counts(folder)) == (before, saved, sessions)


def test_messages_do_not_repeat_the_passwords_of_the_lines_that_frr_refuses(driver):
    driver.load_merge_candidate(config="router bgp 64500\n neighbor 203.0.113.9 password Hush-4711\nexit\n")
    with pytest.raises(CommitError, match="password <removed>") as refused:
        driver.commit_config()
    assert "Hush-4711" not in str(refused.value)
    driver.discard_config()
    with pytest.raises(MergeConfigException) as unknown:
        driver.load_merge_candidate(config="router bgp 64500\n neighbour 203.0.113.9 password Hush-4711\n")
    assert "Hush-4711" not in str(unknown.value)


def test_commit_while_somebody_else_commits_is_refused(driver, folder):
    before = looking.running(folder)
    driver.load_merge_candidate(config=DESCRIPTION)
    with (folder / "var-lib" / "napalm-frr" / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(LockError, match="another commit is under way"):
            driver.commit_config()
    assert looking.running(folder) == before


# Routers that do not answer as they should


def test_password_logs_in_and_a_wrong_one_is_refused_without_being_named(connect, router):
    assert connect(password=router.password, key_file="").is_alive() == {"is_alive": True}
    with pytest.raises(ConnectAuthError, match="refuses the login of root") as refused:
        connect(password="Hush-4711", key_file="")
    assert "Hush-4711" not in str(refused.value)
    assert router.password not in repr(connect(password=router.password, opened=False).device.login)


def test_wrong_host_key_is_refused_and_both_keys_are_named(connect, lab, router, tmp_path):
    other = Path(lab.routers["edge2.lon1"].folder, "run/lab/host_key.pub").read_text().split()[:2]
    (tmp_path / "known_hosts").write_text(f"{router.host} {' '.join(other)}\n")
    shown = subprocess.run(
        ["ssh-keygen", "-lf", f"{router.folder}/run/lab/host_key.pub"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()[1]
    with pytest.raises(ConnectionException, match="Nothing was sent") as refused:
        connect(known_hosts=str(tmp_path / "known_hosts"))
    assert shown in str(refused.value)
    assert str(refused.value).count("SHA256:") == 2


def test_host_key_that_nobody_knows_is_refused_unless_told_otherwise(connect, tmp_path):
    unknown = str(tmp_path / "known_hosts")
    with pytest.raises(ConnectionException, match=r"showed the host key ssh-\S+ SHA256:\S+, and .* has none"):
        connect(known_hosts=unknown)
    assert connect(known_hosts=unknown, ssh_strict=False).is_alive() == {"is_alive": True}
    assert not Path(unknown).exists()


def test_ssh_config_says_where_a_name_is_and_with_which_key(connect, router, tmp_path):
    (tmp_path / "config").write_text(
        f"Host edge1\n  HostName {router.host}\n  Port {router.port}\n  IdentityFile {router.key_file}\n"
    )
    driver = connect(host="edge1", key_file="", ssh_config_file=str(tmp_path / "config"))
    assert driver.get_facts()["hostname"] == "edge1.lon1"
    with pytest.raises(ConnectionException, match="cannot be read"):
        connect(ssh_config_file=str(tmp_path / "nothing"))


def test_port_on_which_nobody_listens_is_no_connection(connect):
    with pytest.raises(ConnectionException, match="port 1022"):
        connect(port=1022)


def test_sshd_that_hangs_is_given_up_in_time(connect, router):
    with stopped(router.pid("sshd")), pytest.raises(ConnectTimeoutError):
        connect(timeout=1)


def test_router_that_hangs_is_given_up_in_time_and_answers_again_later(driver, connect, router):
    impatient = connect(timeout=1)
    with (
        stopped(router.pid("bgpd")),
        pytest.raises(CommandTimeoutException, match="did not finish within 1 s"),
    ):
        impatient.get_bgp_neighbors()
    assert impatient.get_bgp_neighbors()["global"]["peers"]


def test_commit_on_a_router_that_hangs_changes_nothing(driver, connect, router, folder):
    before = looking.running(folder)
    impatient = connect(timeout=1)
    impatient.load_replace_candidate(config=before)
    with stopped(router.pid("bgpd")), pytest.raises(CommitError, match="cannot be read"):
        impatient.commit_config()
    assert looking.running(folder) == before
    assert not driver.has_pending_commit()


def test_router_that_hangs_when_it_is_to_revert_does_so_once_it_answers(driver, router, folder):
    before = looking.running(folder)
    driver.load_merge_candidate(config=DESCRIPTION)
    driver.commit_config(revert_in=1)
    with stopped(router.pid("bgpd")):
        time.sleep(2)
    assert eventually(lambda: looking.running(folder) == before)


def test_folder_that_cannot_be_used_is_named_with_the_way_out(connect):
    driver = connect(state_dir="/proc/nowhere")
    with pytest.raises(CommandErrorException, match=r"cannot use /proc/nowhere.*optional_args state_dir"):
        driver.load_merge_candidate(config=DESCRIPTION)


def test_connection_that_was_never_opened_says_so(connect):
    driver = connect(opened=False)
    assert driver.is_alive() == {"is_alive": False}
    with pytest.raises(ConnectionClosedException, match="no open connection"):
        driver.get_facts()


# What the router says of itself


@pytest.mark.usefixtures("established")
def test_neighbours_are_what_the_daemons_say(driver, lab, folder):
    peers = driver.get_bgp_neighbors()["global"]["peers"]
    assert {address for address, peer in peers.items() if peer["is_up"]} == lab.established_on_both_ends(
        "edge1.lon1"
    )
    details = driver.get_bgp_neighbors_detail()["global"]
    assert set(details) == MEMBERS
    assert {one["remote_address"] for records in details.values() for one in records} == set(peers)
    received = looking.neighbors(folder)[FRR_MEMBER]["addressFamilyInfo"]["ipv4Unicast"][
        "acceptedPrefixCounter"
    ]
    assert peers[FRR_MEMBER]["address_family"]["ipv4"]["accepted_prefixes"] == received > 0


def test_detail_of_one_neighbour_is_found_by_any_spelling_of_its_address(driver):
    found = driver.get_bgp_neighbors_detail("2001:DB8:0100::000B")
    assert [one["remote_address"] for one in found["global"][64496]] == ["2001:db8:100::b"]
    assert driver.get_bgp_neighbors_detail("203.0.113.99") == {}


def test_router_without_bgp_has_no_neighbours(lab, connect):
    second = lab.routers["edge2.lon1"]
    driver = connect(host=second.host, user=second.user)
    assert driver.get_bgp_neighbors() == {}
    assert driver.get_bgp_neighbors_detail() == {}


def test_vrf_is_listed_apart(driver):
    driver.load_merge_candidate(
        config="router bgp 64500 vrf CUSTOMERS\n neighbor 203.0.113.130 remote-as 64510\nexit\n"
    )
    driver.commit_config()
    assert list(driver.get_bgp_neighbors()["CUSTOMERS"]["peers"]) == ["203.0.113.130"]
    assert list(driver.get_bgp_neighbors_detail()["CUSTOMERS"]) == [64510]


def test_addresses_of_interfaces_are_those_of_the_lab(driver, lab, router):
    edge, found = lab.nodes["edge1.lon1"], driver.get_interfaces_ip()
    assert found["eth1"]["ipv4"] == {edge.ipv4: {"prefix_length": 24}}
    assert found["eth1"]["ipv6"][edge.ipv6] == {"prefix_length": 64}
    assert list(found["mgmt0"]["ipv4"]) == [router.host]
    assert driver.get_interfaces()["eth1"]["is_up"]


def test_configurations_are_told_with_and_without_secrets(driver, folder):
    whole, clean = driver.get_config(), driver.get_config(sanitized=True)
    assert whole["running"] == looking.running(folder)
    assert whole["startup"] == startup(folder)
    assert SESSION_PASSWORD in whole["running"]
    assert SESSION_PASSWORD not in "".join(clean.values())
    assert driver.get_config(retrieve="startup")["running"] == ""
    with pytest.raises(NotImplementedError):
        driver.get_config(format="json")


def test_commands_are_answered_and_unknown_ones_refused(driver):
    assert "FRRouting 8" in driver.cli(["show version"])["show version"]
    with pytest.raises(CommandErrorException, match="show nonsense"):
        driver.cli(["show nonsense"])
    with pytest.raises(NotImplementedError):
        driver.cli(["show version"], encoding="json")
