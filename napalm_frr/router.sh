# What napalm_frr runs on a router, as a file there:
#
#   sh router-<digest>.sh <state folder> <frr-reload.py> <folder of frr.conf> <seconds per step> <command> [arguments]
#
# It is a script of the router because a commit must end well when the connection does not: the work runs in a session
# of its own, and so does the timer that goes back to the former configuration unless somebody confirms.
#
# The state folder (mode 0700; configurations hold passwords) has
#   previous.conf  the configuration before the last commit
#   pending        a commit that waits to be confirmed: its id, when it reverts (epoch), this boot, the timer's process
#   last           what became of the last commit, in words
#   log            one line per commit: when, who, what
#
# Exit statuses, which router.py turns into NAPALM's exceptions:
#   64 the text did not arrive whole    65 FRR refused it, the router is as before    66 FRR refuses its grammar
#   70 a step failed, nothing changed   73 the state folder cannot be used            75 somebody else commits now
#   76 a commit waits already           77 no commit waits                            78 nothing to go back to
#   79 FRR refused it, and does not take the former configuration back yet; it is tried again until it does

umask 077
script=$0 state=$1 reload=$2 etc=$3 limit=$4 command=$5
shift 5
LC_ALL=C export LC_ALL

mkdir -p "$state" 2>/dev/null && [ -w "$state" ] || { echo "cannot write to $state"; exit 73; }

main() {
    case $command in
        mark | check | compare | commit) staged "$@" ;;
        confirm) detached confirm_now ;;
        rollback) detached rollback_now ;;
        pending) pending_now ;;
        # Within a session of its own:
        commit_now | confirm_now | rollback_now | expire) "$command" "$@" ;;
        *) echo "unknown command $command"; exit 70 ;;
    esac
}

# Take <bytes> of text from standard input, then do what was asked with it.
staged() {
    work=$(mktemp -d "$state/work.XXXXXX") || exit 73
    trap 'rm -rf "$work"' EXIT
    bytes=$1
    shift
    cat > "$work/frr.conf"
    [ "$(wc -c < "$work/frr.conf")" -eq "$bytes" ] || { echo "the text did not arrive whole"; exit 64; }
    echo 'service integrated-vtysh-config' > "$work/vtysh.conf"
    case $command in
        check) step vtysh --config_dir "$work" -C -f "$work/frr.conf" 2>&1 || exit 66 ;;
        mark) step vtysh --config_dir "$work" -m -f "$work/frr.conf" || exit 66 ;;
        compare) reload_with --test --log-level error || exit 70 ;;
        # The folder goes to the session that works on, which removes it.
        commit) trap - EXIT; detached commit_now "$work" "$@" ;;
    esac
}

# Run one of our functions so that the end of the connection does not end it, and wait for it.
detached() {
    name=$1
    shift
    out=$(mktemp "$state/out.XXXXXX") || exit 73
    setsid sh "$script" "$state" "$reload" "$etc" "$limit" "$name" "$@" > "$out" 2>&1 < /dev/null &
    wait $!
    status=$?
    cat "$out"
    rm -f "$out"
    exit $status
}

step() {
    timeout -k 2 "$limit" "$@"
}

# frr-reload.py on $work/frr.conf. With confdir set to that folder the file is FRR's own, so that nothing is saved as
# startup configuration; and what it writes for a moment, passwords included, is not in a place that others read.
reload_with() {
    step "$reload" --confdir "$work" --rundir "$work" "$@" "$work/frr.conf"
}

running() {
    step vtysh -c 'show running-config no-header'
}

save() {
    step vtysh --config_dir "$etc" -c 'write memory' > /dev/null 2>&1
}

lock() {
    exec 9> "$state/lock"
    flock -w "$1" 9 || { echo "another commit is under way on this router"; exit 75; }
}

unlock() {
    exec 9>&-
}

boot() {
    cat /proc/sys/kernel/random/boot_id
}

# Read `pending` into $id, $deadline, $booted, $timer. Fails when no commit waits; after a reboot none does, because the
# router came up with what was saved before.
read_pending() {
    read -r id deadline booted timer 2>/dev/null < "$state/pending" || return 1
    [ "$booted" = "$(boot)" ] && return 0
    rm -f "$state/pending"
    echo "the router was restarted before the commit was confirmed" > "$state/last"
    return 1
}

pending_now() {
    if read_pending; then echo "$id $deadline"; fi
}

# commit_now <folder> <merge or replace> <id> <seconds until it reverts, 0 for never> <user> [message]
commit_now() {
    work=$1 mode=$2 new=$3 seconds=$4 user=$5 message=${6:-}
    trap 'rm -rf "$work"' EXIT
    lock 0
    if read_pending; then echo "a commit waits until $(date -d "@$deadline" '+%F %T') to be confirmed"; exit 76; fi
    running > "$work/previous.conf" && [ -s "$work/previous.conf" ] ||
        { echo "the running configuration cannot be read"; exit 70; }
    mv "$work/previous.conf" "$state/previous.conf"
    [ "$seconds" -eq 0 ] || arm "$new" "$seconds"
    if apply "$mode" > "$work/said" 2>&1; then
        echo "committed" > "$state/last"
        [ "$seconds" -ne 0 ] || save || echo "running, but not saved as startup configuration"
        result=committed
    else
        tell "$work/said"
        result=refused
        disarm
        if ! restore > /dev/null 2>&1; then
            arm "$new" 0
            result=unfinished
        fi
    fi
    printf '%s %s %s %s %s\n' "$(date '+%F %T')" "$user" "$mode" "$result" "$message" >> "$state/log"
    case $result in refused) exit 65 ;; unfinished) exit 79 ;; esac
}

apply() {
    case $1 in
        replace) reload_with --reload --stdout --log-level warning && { same || again || true; } ;;
        # What a person would type, in that order: FRR changes in place what it can.
        merge) [ ! -s "$work/frr.conf" ] || step vtysh -f "$work/frr.conf" ;;
    esac
}

# What FRR objected to, without frr-reload's time stamps and colours, each line once.
tell() {
    esc=$(printf '\033')
    sed -e "s/$esc\[[0-9;]*m//g" -e '/^$/d' -e 's/^[0-9-]* [0-9:,]* *[A-Z]*: //' "$1" | awk '!seen[$0]++' | head -n 40
}

# Begin the timer of a commit; it lives in a session of its own and holds no lock.
arm() {
    setsid sh -c 'sleep "$1"; shift; exec sh "$@"' napalm-frr-timer \
        "$2" "$script" "$state" "$reload" "$etc" "$limit" expire "$1" > /dev/null 2>&1 < /dev/null 9>&- &
    printf '%s %s %s %s\n' "$1" "$(($(date +%s) + $2))" "$(boot)" "$!" > "$state/pending.new"
    mv "$state/pending.new" "$state/pending"
}

disarm() {
    if read_pending; then
        rm -f "$state/pending"
        kill -- "-$timer" 2>/dev/null
    fi
    return 0
}

# Back to the former configuration. Succeeds when nothing is left that differs. In a subshell, for a folder of its own.
restore() (
    work=$(mktemp -d "$state/work.XXXXXX") || exit 1
    trap 'rm -rf "$work"' EXIT
    cp "$state/previous.conf" "$work/frr.conf"
    echo 'service integrated-vtysh-config' > "$work/vtysh.conf"
    reload_with --reload --stdout --log-level warning
    running > "$work/now.conf" && { cmp -s "$work/now.conf" "$work/frr.conf" || same || again; }
)

# frr-reload deletes a block and then what stood in it, which makes the block anew (bfd); the second time it is gone.
again() {
    reload_with --reload --stdout --log-level warning && same
}

same() {
    differs=$(reload_with --test --log-level critical) && [ -z "$differs" ]
}

# The timer's end: go back, unless the commit was confirmed meanwhile. A router that cannot now is asked again.
expire() {
    while :; do
        lock 600
        read_pending && [ "$id" = "$1" ] || return 0
        if restore; then
            rm -f "$state/pending"
            echo "not confirmed in time, reverted at $(date '+%F %T')" > "$state/last"
            return 0
        fi
        unlock
        sleep 5
    done
}

confirm_now() {
    lock "$limit"
    read_pending || { cat "$state/last" 2>/dev/null; exit 77; }
    disarm
    echo "confirmed" > "$state/last"
    save || echo "running, but not saved as startup configuration"
}

rollback_now() {
    lock "$limit"
    [ -s "$state/previous.conf" ] || exit 78
    waited=
    if read_pending; then waited=yes; fi
    restore || { echo "FRR does not take the former configuration back"; exit 70; }
    disarm
    echo "rolled back" > "$state/last"
    # What waited to be confirmed was never saved.
    [ -n "$waited" ] || save || echo "running, but not saved as startup configuration"
}

main "$@"
