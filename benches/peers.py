#!/usr/bin/env python3
"""recmode beside the recorders that are installed: throughput, CPU, echo, start, memory, idling.

Each recorder runs on an outer PTY that this program drains. The recorders take turns in each round, and what is compared
is a ratio within the same round, so that a machine that is busy for a while is busy for all of them.

    benches/peers.py                 every measurement, some minutes
    benches/peers.py --quick         the same with less of everything
    benches/peers.py --json FILE     the numbers too, round by round

It needs Python 3.8, Linux, and cc for the floor. What is not installed is left out, and said.
"""

import argparse
import ctypes
import fcntl
import json
import os
import platform
import pty
import random
import resource
import select
import shlex
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import termios
import time

HERE = os.path.dirname(os.path.abspath(__file__))
MIB = 1024 * 1024
MB = 1_000_000
LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_CHILD_SUBREAPER = 36
CLONE_NEWNS = 0x00020000


# --- the recorders ------------------------------------------------------------------------------------------


class Recorder:
    """A recorder: how it is called for a shell command, recording into a directory."""

    def __init__(self, name, argv):
        self.name = name
        self.argv = argv


def find_recorders(options, work):
    """The recorders that are here, in the order of the table, and why others are not."""
    found, missing = [], []

    def add(name, condition, why, argv):
        if options.only and name not in options.only:
            return
        if condition:
            found.append(Recorder(name, argv))
        else:
            missing.append(f"{name}: {why}")

    script = shutil.which("script")
    add("pump", script, "no script(1)", lambda out, cmd: [script, "-q", "-c", cmd, "/dev/null"])
    floor = build_floor(work)
    add("floor", floor, "no C compiler", lambda out, cmd: [floor, f"{out}/floor", *words(cmd)])
    add("script", script, "no script(1)", lambda out, cmd: [script, "-q", "-c", cmd, f"{out}/typescript"])
    recmode = options.recmode
    for mode in ("best_effort", "strict"):
        add(
            f"recmode {mode}",
            os.access(recmode, os.X_OK),
            f"{recmode} is not there: cargo build --release --locked",
            lambda out, cmd, mode=mode: [recmode, "record", "-q", "--mode", mode, "-o", f"{out}/{mode}.cast", "--",
                                         *words(cmd)],
        )
    asciinema = options.asciinema or shutil.which("asciinema")
    version = said_by([asciinema, "--version"]).split()[-1:] if asciinema else []
    add(
        "asciinema 3",
        version and version[0].startswith("3."),
        "not installed, or not version 3: cargo install asciinema --locked, then --asciinema PATH",
        lambda out, cmd: [asciinema, "rec", "-q", "-c", cmd, f"{out}/asciinema.cast"],
    )
    tlog = shutil.which("tlog-rec")
    add("tlog", tlog, "not installed",
        lambda out, cmd: [tlog, "--writer=file", f"--file-path={out}/tlog.json", *words(cmd)])
    sudo = shutil.which("sudo")
    chosen = not options.only or "sudo" in options.only
    add("sudo", sudo and chosen and own_sudoers(work), "not installed, or not run as root (it needs a sudoers of its own)",
        lambda out, cmd: [sudo, "-n", *words(cmd)])
    ttyrec = shutil.which("ttyrec")
    add("ttyrec", ttyrec, "not installed", lambda out, cmd: [ttyrec, "-e", cmd, f"{out}/ttyrec"])
    working = []
    for recorder in found:
        try:
            Session(recorder, work, "true").end()
            working.append(recorder)
        except RuntimeError as error:
            missing.append(f"{recorder.name}: does not work here: {error}")
    return working, missing


def words(command):
    """A shell command as words to execute: a program's name alone needs no shell."""
    return [command] if command.isalnum() else ["sh", "-c", command]


def build_floor(work):
    """The floor's program, built; nothing without a compiler."""
    compiler = shutil.which("cc")
    if not compiler:
        return None
    program = os.path.join(work, "floor-program")
    subprocess.run([compiler, "-O2", "-o", program, os.path.join(HERE, "floor.c"), "-lutil"], check=True)
    return program


def own_sudoers(work):
    """Puts a sudoers that logs output over the system's, in a mount namespace that only this process is in."""
    if os.geteuid() != 0 or not os.path.exists("/etc/sudoers") or LIBC.unshare(CLONE_NEWNS) != 0:
        return False
    sudoers = os.path.join(work, "sudoers")
    with open(sudoers, "w", encoding="ascii") as file:
        file.write(f"Defaults log_output\nDefaults iolog_dir={work}/sudo-io\nroot ALL=(ALL) NOPASSWD: ALL\n")
    os.chmod(sudoers, 0o440)
    mounts = [["mount", "--make-rprivate", "/"], ["mount", "--bind", sudoers, "/etc/sudoers"]]
    return all(subprocess.run(mount, check=False).returncode == 0 for mount in mounts)


def said_by(argv):
    """What a program prints on standard output."""
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False).stdout


# --- sessions -----------------------------------------------------------------------------------------------


class Session:
    """A recorder on an outer PTY, whose output is for us to drain."""

    def __init__(self, recorder, work, command):
        self.name, self.out = recorder.name, tempfile.mkdtemp(dir=work)
        argv = recorder.argv(self.out, command)
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        # The first terminal that the leader of a session opens is its own. No fork of this program, which would cost more
        # than a recorder does.
        streams = [(os.POSIX_SPAWN_OPEN, 0, os.ttyname(slave), os.O_RDWR, 0)]
        streams += [(os.POSIX_SPAWN_DUP2, 0, fd) for fd in (1, 2)]
        self.begun = time.perf_counter()
        self.pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=streams, setsid=True)
        os.close(slave)

    def read(self):
        """What the terminal shows next; empty at its end."""
        try:
            return os.read(self.master, 65536)
        except OSError:
            return b""

    def read_until(self, text):
        """Reads until `text` was shown."""
        seen = b""
        while text not in seen:
            piece = self.read()
            if not piece:
                raise RuntimeError(f"{self.name}: the session ended early: {seen[-300:]!r}")
            seen += piece

    def end(self):
        """Drains to the end, collects every process of the session: its seconds, and seconds of CPU of all of them."""
        shown, last = 0, b""
        piece = self.read()
        while piece:
            shown, last = shown + len(piece), piece
            piece = self.read()
        _, status, usage = os.wait4(self.pid, 0)
        seconds = time.perf_counter() - self.begun
        cpu = usage.ru_utime + usage.ru_stime
        # What the recorder left behind is ours, as the subreaper.
        while True:
            try:
                _, _, usage = os.wait4(-1, 0)
            except ChildProcessError:
                break
            cpu += usage.ru_utime + usage.ru_stime
        os.close(self.master)
        shutil.rmtree(self.out, ignore_errors=True)
        if status != 0:
            raise RuntimeError(f"{self.name}: wait status {status}: {last[-300:]!r}")
        return seconds, cpu, shown


def descendants(root):
    """The processes below `root`, and it, as far as they can be seen."""
    children = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", "rb") as file:
                parent = int(file.read().rpartition(b")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(entry))
    found, next_ones = [], [root]
    while next_ones:
        pid = next_ones.pop()
        found.append(pid)
        next_ones += children.get(pid, [])
    return found


def processes_of_recorder(session):
    """The recorder's own processes: what is in the session but is not the command, which says its name."""
    own = []
    for pid in descendants(session.pid):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                arguments = file.read().split(b"\0")
        except OSError:
            continue
        # Not a shell nor what it has started, and not what is still to become the recorder.
        if os.path.basename(arguments[0]) not in (b"sh", b"dash", b"bash", b"cat", b"dd", b"stty") and (
                not any(argument.endswith(b"peers.py") for argument in arguments[:4])):
            own.append(pid)
    return own


# --- measurements -------------------------------------------------------------------------------------------


def coloured_text(path, size):
    """Writes `size` bytes of text with colours, as `ls --color`, a build and a log print it; the same each time."""
    choice = random.Random(6)
    words = "error warning info src/main.rs Compiling ok test request GET 200 404 user session héllo ✓".split()
    lines = []
    for _ in range(4000):
        line = " ".join(
            f"\x1b[{choice.choice('0123456789')};3{choice.randrange(8)}m{choice.choice(words)}\x1b[0m"
            if choice.random() < 0.4 else choice.choice(words)
            for _ in range(choice.randrange(2, 14)))
        lines.append(line + "\n")
    block = "".join(lines).encode()
    with open(path, "wb") as file:
        while size > 0:
            file.write(block[:size])
            size -= len(block)


def source(text, report):
    """The command of a flood: `cat`, whose own CPU is told in the file `report`."""
    pid = os.spawnlp(os.P_NOWAIT, "cat", "cat", text)
    os.waitpid(pid, 0)
    own, cat = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    with open(report, "w", encoding="ascii") as file:
        file.write(str(own.ru_utime + own.ru_stime + cat.ru_utime + cat.ru_stime))


def flood_command(text, report):
    return " ".join(map(shlex.quote, [sys.executable, "-S", "-E", os.path.abspath(__file__), "--source", text, report]))


def flood(recorder, work, text):
    """Throughput in MB/s, and the recorder's own CPU in ms per MB."""
    report = os.path.join(work, "source-cpu")
    seconds, cpu, shown = Session(recorder, work, flood_command(text, report)).end()
    with open(report, encoding="ascii") as file:
        cpu -= float(file.read())
    size = os.path.getsize(text)
    if shown < size:
        raise RuntimeError(f"{recorder.name} showed {shown} of {size} bytes")
    return {"MB/s": size / MB / seconds, "CPU": cpu * 1000 / (size / MB)}


def echo(recorder, work, count):
    """One byte typed and back again, `count` times with pauses: percentiles in microseconds."""
    session = Session(recorder, work, f"stty raw -echo; printf READY; exec dd bs=1 count={count} status=none")
    session.read_until(b"READY")
    master, poll = session.master, select.poll()
    poll.register(master, select.POLLIN)
    pause, times = random.Random(6), []
    # Not the first ones, which meet what is still being set up.
    for n in range(count):
        time.sleep(pause.uniform(0.002, 0.005))
        begun = time.perf_counter_ns()
        os.write(master, b"x")
        poll.poll()
        os.read(master, 64)
        if n >= count // 20:
            times.append((time.perf_counter_ns() - begun) / 1000)
    session.end()
    times.sort()
    return {"p50": times[len(times) // 2], "p99": times[len(times) * 99 // 100], "max": times[-1],
            "over 2 ms": sum(t > 2000 for t in times)}


def start(recorder, work, count):
    """Starting and ending a session of `true`, milliseconds: the median of `count`."""
    return {"start": statistics.median(Session(recorder, work, "true").end()[0] * 1000 for _ in range(count))}


def memory(recorder, work, text):
    """Peak of the recorder's memory in a flood, MiB: proportional shares of all of its processes."""
    session = Session(recorder, work, flood_command(text, os.path.join(work, "source-cpu")))
    drain = os.fork()
    if drain == 0:
        while session.read():
            pass
        os._exit(0)
    peak = 0
    while not os.waitid(os.P_PID, session.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
        share = 0
        for pid in processes_of_recorder(session):
            try:
                with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
                    share += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
            except OSError:
                pass
        peak = max(peak, share)
        time.sleep(0.01)
    os.waitpid(drain, 0)
    session.end()
    return {"MiB": peak / 1024}


def idle(recorder, work, seconds):
    """CPU (ms) and context switches a second of a session in which nothing happens."""
    session = Session(recorder, work, "printf READY; read line")
    session.read_until(b"READY")
    # What was printed is synced after a second and checked after five.
    time.sleep(8)

    def spent():
        switches, ticks = 0, 0
        for pid in processes_of_recorder(session):
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/status", encoding="utf-8") as file:
                    switches += sum(int(line.split()[1]) for line in file if "ctxt_switches" in line)
                with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                    ticks += int(file.read().split()[0])
        return switches, ticks / 1e6

    before = spent()
    time.sleep(seconds)
    after = spent()
    os.write(session.master, b"\r")
    session.end()
    return {"switches/s": (after[0] - before[0]) / seconds, "idle CPU": (after[1] - before[1]) / seconds}


# --- the table ----------------------------------------------------------------------------------------------


def run(recorders, rounds, what, measure):
    """`rounds` rounds of a measurement, the recorders in turn: a list for each recorder, a value a round."""
    results = {recorder.name: [] for recorder in recorders}
    for number in range(rounds):
        for recorder in recorders:
            progress(f"{what}, round {number + 1} of {rounds}: {recorder.name}")
            results[recorder.name].append(measure(recorder))
    progress("")
    return results


def progress(text):
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{text}")
        sys.stderr.flush()


def median(rounds, key):
    return statistics.median(values[key] for values in rounds)


def ratio(results, name, base, key):
    """The median of the ratios to `base` within each round; nothing where that wasn't measured."""
    if not results.get(base):
        return None
    pairs = zip(results[name], results[base])
    return statistics.median(own[key] / other[key] for own, other in pairs)


def table(measured, names):
    """The rows of the table, as text."""

    def cell(group, name, key, base=None, form="{:.1f}"):
        results = measured.get(group, {})
        if not results.get(name):
            return "-"
        value = form.format(median(results[name], key))
        of_base = ratio(results, name, base, key) if base else None
        return value if of_base is None else f"{value} ({of_base:.2f})"

    head = ["", "MB/s (of pump)", "CPU ms/MB (of floor)", "echo p50 us (of pump)", "p99 us (of pump)", "over 2 ms", "start ms",
            "MiB", "idle: switches/s"]
    rows = [head]
    for name in names:
        rows.append([
            name,
            cell("flood", name, "MB/s", "pump"),
            cell("flood", name, "CPU", "floor"),
            cell("echo", name, "p50", "pump", "{:.0f}"),
            cell("echo", name, "p99", "pump", "{:.0f}"),
            cell("echo", name, "over 2 ms", form="{:.0f}"),
            cell("start", name, "start"),
            cell("memory", name, "MiB"),
            cell("idle", name, "switches/s", form="{:.1f}"),
        ])
    widths = [max(len(row[n]) for row in rows) for n in range(len(head))]
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip() for row in rows)


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo", encoding="utf-8")
                  if line.startswith("model name")), platform.machine())
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {"cores": os.cpu_count(), "cpu": model, "memory_GiB": round(pages / 1024**3), "kernel": platform.release()}


def main():
    if sys.argv[1:2] == ["--source"]:
        return source(*sys.argv[2:])
    parser = argparse.ArgumentParser(description="Measures recmode beside the recorders that are installed.")
    parser.add_argument("--quick", action="store_true", help="less of everything: a minute or so")
    parser.add_argument("--rounds", type=int, help="rounds of each measurement (default 5, quick: 2)")
    parser.add_argument("--json", metavar="FILE", help="write the numbers, round by round")
    parser.add_argument("--recmode", default=os.path.join(HERE, "../target/release/recmode"), metavar="PATH",
                        help="the recmode to measure (default: target/release/recmode)")
    parser.add_argument("--asciinema", metavar="PATH", help="the asciinema 3 to measure (default: that of PATH)")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this recorder, by its name in the table")
    parser.add_argument("--measure", action="append", choices=["flood", "echo", "start", "memory", "idle"],
                        help="only this (default: all)")
    parser.add_argument("--dir", metavar="DIR", help="where it is recorded to (default: a temporary directory)")
    options = parser.parse_args()
    options.recmode = os.path.abspath(options.recmode)
    rounds = options.rounds or (2 if options.quick else 5)
    size = (20 if options.quick else 200) * MB
    wanted = options.measure or ["flood", "echo", "start", "memory", "idle"]

    LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(dir=options.dir, prefix="recmode-peers-") as work:
        recorders, missing = find_recorders(options, work)
        text, small = os.path.join(work, "text"), os.path.join(work, "text-small")
        coloured_text(text, size)
        coloured_text(small, size // 4)
        measurements = {
            "flood": (rounds, lambda recorder: flood(recorder, work, text)),
            "echo": (rounds, lambda recorder: echo(recorder, work, 300 if options.quick else 1500)),
            "start": (rounds, lambda recorder: start(recorder, work, 10 if options.quick else 40)),
            "memory": (1, lambda recorder: memory(recorder, work, small)),
            "idle": (1, lambda recorder: idle(recorder, work, 2 if options.quick else 5)),
        }
        measured = {what: run(recorders, measurements[what][0], what, measurements[what][1]) for what in wanted}
    names = [recorder.name for recorder in recorders]
    about = machine()
    print(f"{about['cores']} cores of {about['cpu']}, {about['memory_GiB']} GiB, Linux {about['kernel']}; "
          f"{rounds} rounds, {size // MB} MB of text")
    for line in missing:
        print(f"left out: {line}")
    print(table(measured, names))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump({"machine": about, "rounds": rounds, "text_MB": size // MB, "measured": measured}, file, indent=1)
            file.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
