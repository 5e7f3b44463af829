"""Hostile surroundings: links swapped in for our files, any umask, names, ids and tokens."""

from __future__ import annotations

import ast
import json
import os
import random
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from werkzeug.http import parse_options_header

import chunked_upload
from chunked_upload.http.access.callers import hash_token
from tests.support.concurrency import Latencies, spread
from tests.support.scorecard import SQLITE, Run, row
from tests.support.server import Server
from tests.support.site import Site
from tests.support.wire import (
    Client,
    Reply,
    Request,
    Wire,
    completion,
    form_chunk,
    raw_chunk,
    request,
)

HALF = 1000
SECRET = b"not yours " * 100


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One server on SQLite for all tests here; each uses uploads of its own."""
    run = Run(tmp_path_factory.mktemp("hostile"), SQLITE)
    with Site(run) as at:
        yield at


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    with site.client() as made:
        yield made


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """A file of somebody else."""
    path = tmp_path / "victim"
    path.write_bytes(SECRET)
    return path


def part_of(site: Site, upload_id: str, suffix: str = ".part") -> Path:
    return site.stored.root / ".incoming" / upload_id[:2] / f"{upload_id}{suffix}"


def is_clear(reply: Reply) -> bool:
    """Whether an answer is a refusal that says why."""
    return (400 <= reply.status < 500 or reply.status in (503, 507)) and bool(reply.detail)


LINKS: dict[str, Callable[[Path, Path], None]] = {
    "symlink": lambda target, path: path.symlink_to(target),
    "hard link": lambda target, path: path.hardlink_to(target),
}


@pytest.mark.parametrize("kind", LINKS)
@pytest.mark.parametrize("suffix", [".part", ".turn", ".lock"])
def test_link_in_place_of_our_file_leads_nowhere(
    site: Site, client: Client, victim: Path, kind: str, suffix: str
) -> None:
    upload_id = client.create(b"a" * HALF, 2 * HALF)
    path = part_of(site, upload_id, suffix)
    path.unlink(missing_ok=True)
    LINKS[kind](victim, path)
    content = b"a" * HALF + b"b" * HALF
    chunk = client.put(upload_id, content[HALF:], HALF, 2 * HALF)
    if suffix != ".lock":
        assert is_clear(chunk), chunk
    done = client.complete(upload_id, content)
    assert done.status == 200 or is_clear(done), done
    file = client.download(upload_id)
    assert SECRET[:10] not in file.body
    assert client.delete(upload_id).status == 204
    assert not [path for path in site.stored.files() if upload_id in path.name]
    assert victim.read_bytes() == SECRET
    assert stat.S_IMODE(victim.stat().st_mode) == 0o644


def test_symlink_swapped_in_while_a_chunk_is_written_leads_nowhere(
    site: Site, client: Client, victim: Path
) -> None:
    content = b"a" * HALF + b"b" * HALF
    upload_id = client.create(content[:HALF], 2 * HALF)
    sent = raw_chunk(content[HALF:], HALF, 2 * HALF, upload_id=upload_id)
    with Wire(site.port) as wire:
        wire.send(sent.head + sent.body[:100])
        client.state(upload_id)
        part = part_of(site, upload_id)
        part.unlink()
        part.symlink_to(victim)
        wire.send(sent.body[100:])
        reply = wire.reply()
    assert reply.status == 200 or is_clear(reply), reply
    done = client.complete(upload_id, content)
    assert done.status == 200 or is_clear(done), done
    assert SECRET[:10] not in client.download(upload_id).body
    assert client.delete(upload_id).status == 204
    assert victim.read_bytes() == SECRET


def test_link_in_place_of_a_finished_file_is_not_followed(
    site: Site, client: Client, victim: Path
) -> None:
    """The download refuses; the removal removes the link."""
    content = b"c" * HALF
    upload_id = client.create(content, HALF)
    assert client.complete(upload_id, content).status == 200
    finished = site.stored.root / next(
        row["path"] for row in site.stored.rows() if row["upload_id"] == upload_id
    )
    finished.unlink()
    finished.symlink_to(victim)
    reply = client.download(upload_id)
    assert SECRET[:10] not in reply.body
    assert is_clear(reply), reply
    assert client.delete(upload_id).status == 204
    assert victim.read_bytes() == SECRET
    assert not finished.is_symlink()


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_modes_are_the_set_ones_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        run = Run(tmp_path, SQLITE)
        modes = {"CHUNKED_UPLOAD_FILE_MODE": "640", "CHUNKED_UPLOAD_DIRECTORY_MODE": "750"}
        with Site(run, environment=modes) as at, at.client() as client:
            open_upload = client.create(b"a", 2)
            done = client.create(b"a", 1)
            assert client.complete(done, b"a").status == 200
            assert part_of(at, open_upload).exists()
            assert {mode_of(path) for path in at.stored.files()} == {0o640}
            below = [path for path in at.stored.root.rglob("*") if path.is_dir()]
            assert {mode_of(path) for path in [at.stored.root, *below]} == {0o750}
            secret = at.server.instance / "secret_key"
            assert mode_of(secret) == 0o600
    finally:
        os.umask(before)


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


NAMES = [
    'a"; filename="evil.html',
    "a\\r\\nSet-Cookie: x=y",
    "a\rb\nc",
    "a%0d%0aSet-Cookie: evil=1",
    "a\u2028b\u2029c\x85d",
    'x\n{"time": "2026", "status": 200, "path": "/forged"}',
    "\x1b[31mred\x1b[0m",
    "ü ö/../..\\..\\win.ini",
    "'; filename*=UTF-8''evil.exe",
    "a;b,c=d",
    "\u202egpj.exe",
    "a\x00b",
    "<script>alert(1)</script>.html",
]


@pytest.mark.parametrize("name", NAMES)
def test_name_cannot_inject_headers_or_log_lines(site: Site, client: Client, name: str) -> None:
    # The HTTP server itself refuses control characters in a header.
    agent = "".join(char for char in name if char >= " " and char != "\x7f")
    tries = [
        request(
            "POST",
            "/uploads/?filename=" + "".join(f"%{byte:02X}" for byte in name.encode()),
            b"content",
            {"Content-Type": "application/octet-stream", "User-Agent": agent},
        ),
        form_chunk(b"content", 0, 7, filename=name.replace("\r", "").replace("\n", "")),
    ]
    for asked in tries:
        reply = client.ask(asked)
        assert reply.status == 200 or is_clear(reply), reply
        if reply.status != 200:
            continue
        upload_id = reply.json["upload_id"]
        done = client.complete(upload_id, b"content")
        assert done.status == 200, done
        file = client.download(upload_id)
        assert file.status == 200
        assert file.body == b"content"
        disposition = file.headers["content-disposition"]
        kind, parameters = parse_options_header(disposition)
        assert (kind, set(parameters)) == ("attachment", {"filename"})
        assert "/" not in parameters["filename"]
        assert not any(ord(char) < 32 or ord(char) == 127 for char in disposition)
        assert "set-cookie" not in file.headers or "evil" not in file.headers["set-cookie"]
        assert file.headers["x-content-type-options"] == "nosniff"
        assert client.ask(request("GET", f"/uploads/{upload_id}"), "GET").status == 200
    root = site.stored.root
    assert all(root in path.resolve().parents for path in site.stored.files())
    check_log_lines(site.server)


def check_log_lines(server: Server) -> None:
    """Every line of the log, of the access log or another, is one JSON object; none is forged."""
    text = server.log.read_bytes().decode(errors="replace")
    for line in text.split("\n"):
        if line.startswith("{") or "forged" in line or "evil" in line:
            entry = json.loads(line)
            access = {"time", "remote", "method", "path", "status"}
            other = {"time", "level", "logger", "message"}
            assert access <= set(entry) or other <= set(entry)
            assert entry.get("path") != "/forged"
        assert not any(ord(char) < 32 for char in line), line


@row("somebody else's ids", databases=(SQLITE,))
def test_ids_that_are_not_yours_all_look_the_same(run: Run) -> None:
    """Wrong ids, and the real ids of another owner: one answer, byte for byte, for all of them."""
    tokens = {"mine": "m" * 40, "theirs": "t" * 40}
    setting = ",".join(f"{name}:{hash_token(token)}" for name, token in tokens.items())
    guesses = run.amount(reduced=300, full=12_000)
    with Site(run, environment={"CHUNKED_UPLOAD_TOKENS": setting}) as at, at.client() as client:
        mine, theirs = ({"Authorization": f"Bearer {token}"} for token in tokens.values())
        real = []
        for _ in range(10):
            reply = client.chunk(b"x" * 10, 0, 20, headers=theirs)
            assert reply.status == 200, reply
            real.append(str(reply.json["upload_id"]))
        before = at.stored.rows()
        answers: dict[str, set[bytes]] = {}
        missing, others = Latencies(), Latencies()

        def guess(one: Client, seed: int) -> None:
            chooser = random.Random(run.seed * 100 + seed)
            for number in range(guesses // 4):
                foreign = number % 5 == 0
                target = chooser.choice(real) if foreign else f"{chooser.getrandbits(128):032x}"
                verb, asked = _tries(chooser, target, mine)
                with (others if foreign else missing).measured():
                    answer = one.ask(asked, verb)
                run.tried()
                if not run.check(answer.status == 404, f"{verb} {target} got {answer}"):
                    continue
                answers.setdefault(verb, set()).add(_lasting(answer))

        clients = at.clients(4)
        spread(range(4), lambda index: guess(clients[index], index), 4)
        for verb, seen in answers.items():
            run.check(len(seen) == 1, f"different 404s for {verb}: {seen}")
        run.sample("unknown id", missing.median * 1000)
        run.sample("another owner's id", others.median * 1000)
        run.check(at.stored.rows() == before, "something of the other owner has changed")
        at.check_log()


def _tries(chooser: random.Random, upload_id: str, headers: dict[str, str]) -> tuple[str, Request]:
    """Return a verb and a request that asks for the upload in one of the ways there are."""
    return chooser.choice(
        [
            ("GET", request("GET", f"/uploads/{upload_id}", headers=headers)),
            ("HEAD", request("HEAD", f"/uploads/{upload_id}", headers=headers)),
            ("GET", request("GET", f"/uploads/{upload_id}/file", headers=headers)),
            ("DELETE", request("DELETE", f"/uploads/{upload_id}", headers=headers)),
            ("POST", form_chunk(b"x" * 10, 10, 20, upload_id=upload_id, headers=headers)),
            (
                "POST",
                request(
                    "POST",
                    "/uploads/complete",
                    completion(upload_id, "0" * 32).body,
                    {**headers, "Content-Type": "application/x-www-form-urlencoded"},
                ),
            ),
        ]
    )


def _lasting(reply: Reply) -> bytes:
    """Return what may tell answers apart: all but the date and the request's own random id."""
    own = ("date", "x-request-id")
    headers = sorted((k, v) for k, v in reply.headers.items() if k not in own)
    return repr((headers, reply.body)).encode()


def test_wrong_tokens_are_refused_before_a_byte_is_stored(tmp_path: Path) -> None:
    token = "k" * 43
    setting = f"one:{hash_token(token)}"
    run = Run(tmp_path, SQLITE)
    with Site(run, environment={"CHUNKED_UPLOAD_TOKENS": setting}) as at, at.client() as client:
        wrong = ["k", token[:-1], token + "k", token.upper(), hash_token(token), "x" * 10_000]
        answers: dict[str, set[bytes]] = {"missing": set(), "unreadable": set(), "wrong": set()}
        for kind, given in [
            ("missing", None),
            *(("unreadable", value) for value in ("Bearer ", f"Basic {token}", token)),
            *(("wrong", f"Bearer {value}") for value in wrong),
        ]:
            headers = {} if given is None else {"Authorization": given}
            reply = client.chunk(b"x" * 10, 0, 10, headers=headers)
            assert reply.status == 403, (given, reply)
            answers[kind].add(reply.body)
        # Nothing tells how near a wrong token comes.
        assert [len(bodies) for bodies in answers.values()] == [1, 1, 1]
        assert at.stored.nothing_left()
        right = client.chunk(b"x" * 10, 0, 10, headers={"Authorization": f"Bearer {token}"})
        assert right.status == 200
        assert token not in at.server.log.read_text()


#: What is secret in this package: names under which tokens and their hashes are held.
SECRETS = {"token", "given", "known", "digest", "secret", "secret_key"}


def test_secrets_are_only_compared_in_constant_time() -> None:
    """No ``==`` on a secret: equality of bytes takes longer the more of them are right."""
    package = Path(chunked_upload.__file__).parent
    compared, constant = [], 0
    for path in package.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Compare) and path.name == "callers.py":
                sides = [node.left, *node.comparators]
                names = {side.id for side in sides if isinstance(side, ast.Name)}
                equality = any(isinstance(op, (ast.Eq, ast.NotEq, ast.In)) for op in node.ops)
                if equality and names & SECRETS:
                    compared.append(f"{path.name}:{node.lineno}")
            if isinstance(node, ast.Attribute) and node.attr == "compare_digest":
                constant += 1
    assert compared == []
    assert constant >= 1
