"""What the kernel says of processes: processor time, memory, and how much of the machine others took meanwhile."""
import os
import time

TICKS = os.sysconf("SC_CLK_TCK")
CORES = os.cpu_count()


def processes():
    """Every process: {pid: {"parent", "session", "cpu"}}; cpu is its own seconds and those of children it reaped."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rsplit(")", 1)[1].split()
        except OSError:
            continue
        found[int(name)] = {"parent": int(fields[1]), "session": int(fields[3]),
                            "cpu": sum(int(field) for field in fields[11:15]) / TICKS}
    return found


def session_of(leader, table=None):
    return [pid for pid, facts in (table or processes()).items() if facts["session"] == leader]


def tree_of(root, table=None):
    table = table or processes()
    found, todo = [], [root]
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += [child for child, facts in table.items() if facts["parent"] == pid]
    return [pid for pid in found if pid in table]


def cpu_of(pids, table):
    return sum(table[pid]["cpu"] for pid in pids if pid in table)


def busy_seconds():
    """Processor seconds the whole machine has spent so far, those taken by other guests of the host included."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, softirq, steal = [int(field) / TICKS for field in file.readline().split()[1:9]]
    return user + nice + system + irq + softirq + steal


def memory_of(pids):
    """Resident MiB: the proportional share, so that pages shared by several processes count once."""
    kib = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as file:
                kib += sum(int(line.split()[1]) for line in file if line.startswith("Pss:"))
        except OSError:
            pass
    return kib / 1024


def wait_for_quiet(share, patience_seconds):
    """Waits until the others use less than this share of the machine, or until patience ends."""
    end = time.monotonic() + patience_seconds
    while time.monotonic() < end:
        before, start = busy_seconds(), time.monotonic()
        time.sleep(0.3)
        if (busy_seconds() - before) / (time.monotonic() - start) / CORES <= share:
            return
