"""Servers that start, are shared, stop with their owners however those end, and leave nothing behind."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from mendbook import embedded, errors
from mendbook.servers import cluster

# What an owner process runs: it tells about its server, then waits until its standard input is closed.
OWNER = """
import json, sys
from mendbook import embedded
server = {server}
print(json.dumps([server.conninfo(), str(server.socket_dir.parent), server._lifeline.supervisor_pid]), flush=True)
{then}
sys.stdin.read()
"""


@dataclass(frozen=True, kw_only=True)
class Owner:
    """Another process that holds a server."""

    process: subprocess.Popen[str]
    conninfo: str
    run: Path  # the folder of the running server
    supervisor: int  # process id

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def owner(server: str = "embedded.server()", then: str = "", **environment: str) -> Iterator[Owner]:
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", OWNER.format(server=server, then=then)],
        env=os.environ | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout
            conninfo, run, supervisor = json.loads(process.stdout.readline())
            yield Owner(process=process, conninfo=conninfo, run=Path(run), supervisor=supervisor)
        finally:
            process.kill()


@pytest.fixture
def name() -> Iterator[str]:
    """A name for a server of this test's own, whose data is removed afterwards."""
    unique = f"test-{os.urandom(6).hex()}"
    yield unique
    assert_eventually(lambda: not commands_with(unique))
    for home in (embedded.cache_dir() / "servers").glob(f"{unique}-*"):
        shutil.rmtree(home)


def ask(conninfo: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(conninfo, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def postmaster(conninfo: str) -> int:
    ((data,),) = ask(conninfo, "SHOW data_directory")
    return int(Path(str(data), "postmaster.pid").read_text().splitlines()[0])


def commands_with(text: str) -> list[str]:
    """Return the command lines of running processes that contain *text*."""
    if not cluster.LINUX:
        running = subprocess.run(["ps", "-axwwo", "command="], capture_output=True, text=True, check=True).stdout
        return [command for command in running.splitlines() if text in command]
    found = []
    for command_line in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            found.append(command_line.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
    return [command for command in found if text in command]


def assert_eventually(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def assert_nothing_left(run: Path, postmaster: int) -> None:
    assert_eventually(lambda: not run.exists())
    assert_eventually(lambda: not commands_with(run.name))
    if cluster.LINUX:
        segments = Path("/proc/sysvipc/shm").read_text().splitlines()[1:]
        assert str(postmaster) not in [segment.split()[4] for segment in segments]  # cpid


# One process


def test_the_throw_away_server_is_started_once() -> None:
    first = embedded.server()
    assert embedded.server() is first
    assert embedded.server(major=first.major) is first
    assert ask(first.conninfo(), "SHOW server_version") == [(first.version,)]


def test_a_server_is_utf8_in_utc_and_speaks_english(server: embedded.Server) -> None:
    settings = "current_setting('server_encoding'), current_setting('TimeZone'), current_setting('lc_messages')"
    assert ask(server.conninfo(), f"SELECT {settings}") in ([("UTF8", "UTC", "C.UTF-8")], [("UTF8", "UTC", "C")])


@pytest.mark.skipif(not cluster.LINUX, reason="the environment of a process can be read on Linux")
def test_the_environment_does_not_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PGDATA", "PGPORT", "PGOPTIONS", "PGHOST", "LD_LIBRARY_PATH"):
        monkeypatch.setenv(variable, "nonsense")
    monkeypatch.setenv("SECRET_TOKEN", "planted")
    private = embedded.start()
    with private.scratch() as dbname:
        pid = postmaster(private.conninfo(dbname, options=""))
        assert b"planted" not in Path(f"/proc/{pid}/environ").read_bytes()
    private.stop()


def test_only_this_user_reaches_the_socket(server: embedded.Server) -> None:
    assert server.socket_dir.stat().st_mode & 0o077 == 0
    assert ask(server.conninfo(), "SHOW listen_addresses") == [("",)]


def test_importing_is_cheap() -> None:
    program = "import sys; import mendbook.embedded; print({'psycopg', 'platformdirs', 'asyncio'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "set()"


@pytest.mark.parametrize("dbname", ["plain", "two words", 'quo"te', "'; DROP DATABASE postgres; --", "ünï\n", "%s{}"])
def test_databases_may_have_any_name(server: embedded.Server, dbname: str) -> None:
    server.drop(dbname)
    server.create(dbname)
    assert ask(server.conninfo(dbname), "SELECT current_database()") == [(dbname,)]
    server.drop(dbname)
    server.drop(dbname)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        psycopg.connect(server.conninfo(dbname))


def test_a_clone_has_what_its_template_has(server: embedded.Server) -> None:
    with server.scratch() as template:
        ask(server.conninfo(template), "CREATE TABLE orders AS SELECT 7 AS id")
        with server.scratch(template) as clone:
            assert ask(server.conninfo(clone), "TABLE orders") == [(7,)]


def test_a_scratch_database_goes_also_on_error_and_while_in_use(server: embedded.Server) -> None:
    with pytest.raises(KeyError), server.scratch() as dbname:
        session = psycopg.connect(server.conninfo(dbname))
        raise KeyError
    session.close()
    databases = ask(server.conninfo(), "SELECT datname FROM pg_database")
    assert (dbname,) not in databases


def test_settings_can_be_given() -> None:
    private = embedded.start(settings={"work_mem": "123kB", "fsync": "on"})
    assert ask(private.conninfo(), "SELECT current_setting('work_mem'), current_setting('fsync')") == [("123kB", "on")]
    private.stop()


def test_a_setting_that_postgres_refuses_is_told_in_its_words() -> None:
    with pytest.raises(errors.Surroundings, match='invalid value for parameter "work_mem": "much"'):
        embedded.start(settings={"work_mem": "much"})


def test_over_tcp_a_password_is_asked_for() -> None:
    private = embedded.start(tcp=True, password="se cret'\\")
    assert ask(private.conninfo(), "SELECT host(inet_server_addr())") == [("127.0.0.1",)]
    for wrong in ("other", None):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(private.conninfo(password=wrong))
    private.stop()


def test_over_tcp_without_a_password() -> None:
    private = embedded.start(tcp=True)
    assert ask(private.conninfo(), "SELECT host(inet_server_addr())") == [("127.0.0.1",)]
    private.stop()


def test_a_standby_follows_and_can_be_promoted() -> None:
    primary = embedded.start(settings={"max_connections": "30"})
    standby = primary.standby()
    ask(primary.conninfo(), "CREATE TABLE orders (id int)")
    assert_eventually(lambda: ask(standby.conninfo(), "SELECT to_regclass('orders')") == [("orders",)])
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        ask(standby.conninfo(), "DROP TABLE orders")
    assert ask(standby.conninfo(), "SELECT pg_promote()") == [(True,)]
    ask(standby.conninfo(), "DROP TABLE orders")
    standby.stop()
    primary.stop()


def test_a_server_that_was_killed_is_replaced(server: embedded.Server) -> None:
    with owner(
        then="""
        import os, signal
        os.kill(server._lifeline.supervisor_pid, signal.SIGTERM)
        server._lifeline._connection.recv(1)
        again = embedded.server()
        again.create("orders")
        print(again is server, flush=True)
        """.replace("\n        ", "\n")
    ) as other:
        assert other.process.stdout
        assert other.process.stdout.readline() == "False\n"


def test_twenty_rapid_cycles_leave_nothing() -> None:
    for _ in range(20):
        private = embedded.start()
        run, pid = private.socket_dir.parent, postmaster(private.conninfo())
        private.stop()
        private.stop()
        assert not run.exists()
        assert_nothing_left(run, pid)


def test_two_threads_get_the_same_server(name: str) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: embedded.server(name), range(2))
    assert first is second
    first.stop()


# Owners that end


def test_a_throw_away_server_goes_with_its_process() -> None:
    with owner() as other:
        pid = postmaster(other.conninfo)
        other.process.communicate("")
        assert other.process.returncode == 0
        assert not other.run.exists()
    assert_nothing_left(other.run, pid)


def test_a_throw_away_server_goes_when_its_owner_is_killed() -> None:
    with owner() as other:
        pid = postmaster(other.conninfo)
        session = psycopg.connect(other.conninfo)
        other.kill()
        assert_nothing_left(other.run, pid)
        session.close()


def test_a_throw_away_server_goes_when_its_supervisor_is_killed() -> None:
    with owner() as other:
        pid = postmaster(other.conninfo)
        os.kill(other.supervisor, signal.SIGKILL)
        other.kill()
        if cluster.LINUX:  # elsewhere it waits for the sweep
            assert_eventually(lambda: not cluster._serves(pid, other.run / "data"))
        embedded.start().stop()  # sweeps
        assert_nothing_left(other.run, pid)


def test_a_throw_away_server_goes_when_everything_is_killed() -> None:
    with owner() as other:
        pid = postmaster(other.conninfo)
        for process in (other.supervisor, pid):
            os.kill(process, signal.SIGKILL)
        other.kill()
        embedded.start().stop()  # sweeps
        assert_nothing_left(other.run, pid)


def test_an_owner_cleans_up_after_its_killed_supervisor() -> None:
    with owner() as other:
        pid = postmaster(other.conninfo)
        os.kill(other.supervisor, signal.SIGKILL)
        other.process.communicate("")
        assert other.process.returncode == 0
        assert_nothing_left(other.run, pid)


def test_what_is_in_use_is_not_swept() -> None:
    with owner() as other:
        embedded.start().stop()
        assert ask(other.conninfo, "SELECT 1") == [(1,)]


def test_a_forked_child_does_not_keep_its_parents_server_up() -> None:
    fork = """
import os, time
child = os.fork()
if child == 0:
    assert embedded.server().socket_dir != server.socket_dir
    server.stop()
    server.create("by_child")
    os.write(1, b"ready\\n")
    time.sleep(60)
print(child, flush=True)
"""
    with owner(then=fork) as other:
        assert other.process.stdout
        lines = {other.process.stdout.readline() for _ in range(2)}
        pid = postmaster(other.conninfo)
        other.kill()
        assert_nothing_left(other.run, pid)
        (child,) = [int(line) for line in lines if line != "ready\n"]
        os.kill(child, signal.SIGKILL)


# Named servers


def test_a_named_server_keeps_its_data(name: str) -> None:
    first = embedded.server(name)
    first.create("orders")
    assert ask(first.conninfo(), "SELECT current_setting('fsync'), current_setting('autovacuum')") == [("on", "on")]
    first.stop()
    second = embedded.server(name)
    assert ask(second.conninfo("orders"), "SELECT current_database()") == [("orders",)]
    second.stop()


def test_a_named_server_is_shared_and_stops_with_the_last(name: str) -> None:
    with owner(f"embedded.server({name!r})") as other:
        mine = embedded.server(name)
        assert mine.socket_dir.parent == other.run
        other.kill()
        assert ask(mine.conninfo(), "SELECT 1") == [(1,)]
        with owner(f"embedded.server({name!r})") as third:
            assert third.run == other.run
            pid = postmaster(mine.conninfo())
            mine.stop()
            assert ask(third.conninfo, "SELECT 1") == [(1,)]
            third.process.communicate("")
        assert_nothing_left(other.run, pid)


def test_a_named_server_that_is_asked_for_twice_at_once_is_one(name: str) -> None:
    program = f"""
import sys
from mendbook import embedded
print(embedded.server({name!r}).socket_dir, flush=True)
sys.stdin.read()
"""
    command = [sys.executable, "-W", "error", "-c", program]
    pipe = subprocess.PIPE
    processes = [subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) for _ in range(3)]
    places = {process.stdout.readline() for process in processes if process.stdout}
    assert [process.communicate("")[1] for process in processes] == ["", "", ""]
    assert len(places) == 1


def test_leaving_and_joining_at_the_same_time(name: str) -> None:
    program = f"""
import psycopg
from mendbook import embedded
for _ in range(15):
    server = embedded.server({name!r})
    with psycopg.connect(server.conninfo()) as connection:
        connection.execute("SELECT 1")
    server.stop()
"""
    processes = [subprocess.Popen([sys.executable, "-W", "error", "-c", program]) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]


def test_committed_rows_survive_when_everything_is_killed(name: str) -> None:
    with owner(f"embedded.server({name!r})") as other:
        ask(other.conninfo, "CREATE TABLE orders AS SELECT generate_series(1, 1000) AS id")
        pid = postmaster(other.conninfo)
        for process in (other.supervisor, pid):
            os.kill(process, signal.SIGKILL)
        other.kill()
    back = embedded.server(name)
    assert ask(back.conninfo(), "SELECT count(*) FROM orders") == [(1000,)]
    back.stop()


def test_a_named_server_comes_back_at_once_after_its_supervisor_was_killed(name: str) -> None:
    with owner(f"embedded.server({name!r})") as other:
        ask(other.conninfo, "CREATE TABLE orders ()")
        os.kill(other.supervisor, signal.SIGKILL)
        back = embedded.server(name)
        assert ask(back.conninfo(), "SELECT to_regclass('orders')") == [("orders",)]
        back.stop()


def test_a_stale_pid_file_with_the_number_of_another_process(name: str) -> None:
    first = embedded.server(name)
    ((data,),) = ask(first.conninfo(), "SHOW data_directory")
    pid_file = Path(str(data), "postmaster.pid")
    text = pid_file.read_text()
    first.stop()
    pid_file.write_text(text.replace(text.splitlines()[0], str(os.getpid()), 1))
    again = embedded.server(name)
    assert ask(again.conninfo(), "SELECT 1") == [(1,)]
    again.stop()


@pytest.mark.parametrize("bad", ["", "..", "a/b", "-x", "a.b", "ünï", "a b", "a\n", "x" * 41])
def test_names_that_cannot_be_a_folders_are_refused(bad: str) -> None:
    with pytest.raises(errors.Usage, match="cannot be a server's name"):
        embedded.server(bad)


# Folders


def test_a_folder_keeps_the_data_and_serves_one(tmp_path: Path) -> None:
    first = embedded.start(tmp_path / "kept")
    first.create("orders")
    with pytest.raises(errors.Surroundings, match=r"another one runs on .*kept"):
        embedded.start(tmp_path / "kept")
    first.stop()
    second = embedded.start(tmp_path / "kept")
    assert ask(second.conninfo("orders"), "SELECT current_database()") == [("orders",)]
    second.stop()


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(errors.Surroundings, match="its data cannot be kept"):
        embedded.start(tmp_path / "file" / "below")


def test_a_long_path_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = tmp_path / ("long" * 30) / ("longer" * 20)
    monkeypatch.setenv("MENDBOOK_CACHE", str(cache))
    named = embedded.server("orders")
    assert (cache / "servers" / f"orders-{named.major}" / "data").is_dir()
    assert ask(named.conninfo(), "SELECT 1") == [(1,)]
    named.stop()


def test_a_long_path_of_the_temporary_folder(tmp_path: Path) -> None:
    long = tmp_path / ("long" * 30)
    long.mkdir()
    with owner(TMPDIR=str(long)) as other:
        assert ask(other.conninfo, "SELECT 1") == [(1,)]


def test_a_cache_that_cannot_be_written_only_costs_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("MENDBOOK_CACHE", str(tmp_path / "file" / "below"))
    private = embedded.start()
    assert ask(private.conninfo(), "SELECT 1") == [(1,)]
    private.stop()


def damage_remove(template: Path) -> None:
    shutil.rmtree(template / "data" / "base")


def damage_truncate(template: Path) -> None:
    (template / "data" / "global" / "pg_control").write_bytes(b"")


def damage_half_made(template: Path) -> None:
    (template / "size").unlink()
    template.rename(template.with_name("new"))


@pytest.mark.parametrize("damage", [damage_remove, damage_truncate, damage_half_made])
def test_a_damaged_template_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: Callable[[Path], None]
) -> None:
    monkeypatch.setenv("MENDBOOK_CACHE", str(tmp_path))
    embedded.start().stop()
    (template,) = (tmp_path / "templates").iterdir()
    size = (template / "size").read_text()
    damage(template)
    private = embedded.start()
    assert ask(private.conninfo(), "SELECT 1") == [(1,)]
    private.stop()
    assert list((tmp_path / "templates").iterdir()) == [template]
    assert (template / "size").read_text() == size


# Users

WHO = """
import os, subprocess
from mendbook import embedded
for start, name in [(embedded.start, None)] + [(embedded.server, "orders")] * 2:
    server = start(name)
    psql = embedded.majors()[server.major] / "psql"
    question = "SELECT pg_read_file('postmaster.pid')"
    answer = subprocess.run([psql, "-XAtc", question, server.conninfo()], capture_output=True, text=True, check=True)
    uids = open(f"/proc/{answer.stdout.split()[0]}/status").read().split("Uid:")[1].split()
    print(uids[0], uids[1], server.socket_dir.parent.exists(), end=" ")
    server.stop()
    print(server.socket_dir.parent.exists())
"""


# Runs a command as root with all users, but where no user namespaces can be made.
CONTAINER = """
import ctypes, os, sys
unshared, mapped = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    assert ctypes.CDLL(None).unshare(0x10000000) == 0
    os.write(unshared[1], b".")
    os.read(mapped[0], 1)
    open("/proc/sys/user/max_user_namespaces", "w").write("0")
    os.execv(sys.argv[1], sys.argv[1:])
os.read(unshared[0], 1)
for kind in ("uid_map", "gid_map"):
    open(f"/proc/{child}/{kind}", "w").write("0 0 65536")
os.write(mapped[1], b".")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user may write in."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        yield folder


def python_behind(prefix: list[str], program: str, cache: Path) -> str:
    """Run a Python *program* with the command *prefix* in front; return what it prints."""
    candidates = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")
    python = next((path for path in candidates if not exit_code([*prefix, path, "-c", "import platform"])), None)
    if python is None:
        pytest.skip(f"Python cannot be run by '{' '.join(prefix)}': have a Python that every user can run, and setpriv")
    path = [str(Path(embedded.__file__).parents[1]), *(path for path in sys.path if path.endswith("-packages"))]
    environment = {"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(path), "MENDBOOK_CACHE": str(cache)}
    done = subprocess.run(
        [*prefix, python, "-c", program], env=environment, cwd="/", capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def exit_code(command: list[str]) -> int:
    try:
        return subprocess.run(command, capture_output=True, cwd="/", check=False).returncode
    except OSError:
        return 127


def test_an_ordinary_user(open_folder: Path) -> None:
    if os.geteuid() or not cluster.LINUX:
        pytest.skip("all tests are run by an ordinary user; run them as root on Linux to test another one")
    uid = pwd.getpwnam("nobody").pw_uid
    # The shell in between has none of the capabilities that setpriv still has when it runs its command.
    prefix = ["setpriv", f"--reuid={uid}", "--regid=65534", "--clear-groups", "sh", "-c", 'exec "$@"', "sh"]
    assert python_behind(prefix, WHO, open_folder / "cache") == f"{uid} {uid} True False\n" * 3


def test_root_without_user_namespaces_becomes_nobody(open_folder: Path) -> None:
    """As in a container. Its own folders, which only root may enter, stay usable."""
    if os.geteuid() or not cluster.LINUX:
        pytest.skip("only root on Linux can make such a container; run the tests as root")
    prefix = [sys.executable, "-c", CONTAINER]
    private = open_folder / "private"
    private.mkdir(mode=0o700)
    uid = pwd.getpwnam("nobody").pw_uid
    assert python_behind(prefix, WHO, private / "cache") == f"{uid} {uid} True False\n" * 3
