"""The proxy that makes networks fail for other tests, before a small server and before a whole Supabase."""

import asyncio
import io
import json
import time
from collections import Counter

import aiohttp
import pytest
from aiohttp import WSMsgType, web
from support import faults, frames

from babelroom import Babelroom

SOCKET = "/realtime/v1/websocket"
DELAY = 0.3
CUT = aiohttp.ClientConnectionError


def change(number):
    return json.dumps([None, None, "realtime:x", "postgres_changes", {"number": number}])


class Server:
    """Answers each request with what it got; on a websocket it repeats every text, and does as /close and /die say."""

    def __init__(self):
        self.bodies = []
        self.sockets = []
        self.codes = asyncio.Queue()

    async def answer(self, request):
        if request.path == "/refused":
            raise web.HTTPForbidden
        self.bodies.append(await request.text())
        headers = {"X-Name": request.headers.get("X-Name", "")}
        return web.Response(text=f"{request.method} {request.raw_path} {self.bodies[-1]}", status=201, headers=headers)

    async def serve(self, request):
        socket = web.WebSocketResponse(protocols=["phoenix"], autoping=False)
        await socket.prepare(request)
        self.sockets.append(request)
        async for frame in socket:
            if frame.data == "/close":
                await socket.close(code=4001)
            elif frame.data == "/die":
                request.transport.abort()
            elif frame.type is WSMsgType.PING:
                await socket.pong(frame.data)
            else:
                await socket.send_str(frame.data)
        self.codes.put_nowait(socket.close_code)
        return socket


@pytest.fixture
async def server():
    served = Server()
    application = web.Application(client_max_size=0)
    application.router.add_get(SOCKET, served.serve)
    application.router.add_route("*", "/{path:.*}", served.answer)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = site.name
    served.stop = runner.cleanup
    yield served
    await runner.cleanup()


@pytest.fixture
async def network(server):
    async with faults.proxy(server.url) as made:
        yield made


@pytest.fixture
async def http(network):
    async with aiohttp.ClientSession(network.url) as session:
        yield session


async def post(http, path="/rest/v1/notes", body="x"):
    """The status of the answer."""
    async with http.post(path, data=body) as answer:
        await answer.read()
        return answer.status


async def repeated(socket, text):
    await socket.send_str(text)
    return await socket.receive_str(timeout=10)


async def test_a_request_and_its_answer_pass_unchanged(http):
    """Method, address as it was encoded, body, headers, status."""
    async with http.put("/rest/v1/a%20b?c=in.(%22d%22)", data="body", headers={"X-Name": "é"}) as answer:
        assert (answer.status, answer.headers["X-Name"]) == (201, "é")
        assert await answer.text() == "PUT /rest/v1/a%20b?c=in.(%22d%22) body"


async def test_a_body_of_any_size_passes(http, server):
    """Larger than every buffer on the way."""
    async with http.post("/", data=io.BytesIO(b"x" * 5_000_000)) as answer:
        assert len(await answer.read()) == len("POST / ") + len(server.bodies[0]) == len("POST / ") + 5_000_000


async def test_a_websocket_passes(http):
    """Its subprotocol, texts and pings."""
    async with http.ws_connect(SOCKET, protocols=["phoenix"], autoping=False) as socket:
        assert socket.protocol == "phoenix"
        assert await repeated(socket, "hello") == "hello"
        await socket.ping(b"1")
        assert await socket.receive(timeout=10) == (WSMsgType.PONG, b"1", "")


async def test_a_servers_close_code_passes(http):
    """The client hears why."""
    async with http.ws_connect(SOCKET) as socket:
        await socket.send_str("/close")
        assert (await socket.receive(timeout=10)).data == 4001


async def test_a_clients_close_code_passes(http, server):
    """The server hears why."""
    async with http.ws_connect(SOCKET) as socket:
        await socket.close(code=4002)
    assert await asyncio.wait_for(server.codes.get(), 10) == 4002


async def test_a_refused_upgrade_passes(http):
    """With the server's status."""
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await http.ws_connect("/refused")
    assert refused.value.status == 403


async def test_a_cut_resets_open_websockets(network, http, server):
    """Both ends lose it without a close frame, and a new one opens."""
    async with http.ws_connect(SOCKET) as socket:
        await repeated(socket, "hello")
        network.cut()
        await socket.receive(timeout=10)
        assert socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
        assert await asyncio.wait_for(server.codes.get(), 10) == aiohttp.WSCloseCode.ABNORMAL_CLOSURE
    async with http.ws_connect(SOCKET) as socket:
        assert await repeated(socket, "again") == "again"


async def test_a_cut_is_a_reset_for_every_connection(network):
    """RST, not an orderly end, where nothing was under way either."""
    reader, writer = await asyncio.open_connection("127.0.0.1", network.port)
    writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"\r\n\r\n")
    network.cut()
    with pytest.raises(ConnectionResetError):
        await asyncio.wait_for(reader.read(), 10)
    writer.close()


async def test_a_cut_can_spare_http(network, http):
    """Websockets only: the kept-alive connection of a request stays the same."""
    async with http.ws_connect(SOCKET) as socket:
        network.cut(websockets_only=True)
        assert (await socket.receive(timeout=10)).type in (WSMsgType.CLOSED, WSMsgType.ERROR)
    assert await post(http) == 201


async def test_nobody_listens_while_connections_are_refused(network, http):
    """The connect itself fails; afterwards the same port answers."""
    async with network.refusing():
        with pytest.raises(aiohttp.ClientConnectorError):
            await post(http)
    assert await post(http) == 201


async def test_open_websockets_go_on_while_connections_are_refused(network, http):
    """Only new ones are refused."""
    async with http.ws_connect(SOCKET) as socket, network.refusing():
        assert await repeated(socket, "hello") == "hello"


async def test_websockets_alone_can_be_answered_with_an_error(network, http):
    """REST goes on."""
    with network.answering(503, SOCKET):
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await http.ws_connect(SOCKET)
        assert (refused.value.status, await post(http)) == (503, 201)


async def test_rest_alone_can_be_reset(network, http, server):
    """Websockets go on, and nothing reaches the server."""
    with network.resetting("/rest/"):
        with pytest.raises(CUT):
            await post(http)
        async with http.ws_connect(SOCKET) as socket:
            assert await repeated(socket, "hello") == "hello"
    assert server.bodies == []


async def test_so_many_requests_are_answered_with_an_error(network, http, server):
    """They are not forwarded, and the next one is."""
    fault = network.answering(500, "/rest/", method="POST", times=2)
    assert [await post(http) for _ in range(3)] == [500, 500, 201]
    assert (fault.hits, len(server.bodies)) == (2, 1)


async def test_a_lost_answer_was_given(network, http, server):
    """The server has done it when the client is cut."""
    with network.losing_answers(), pytest.raises(CUT):
        await post(http, body="sent")
    assert server.bodies == ["sent"]
    assert await post(http) == 201


async def test_each_answer_can_be_lost_once(network, http, server):
    """By address and body, so that a retry of each succeeds."""
    network.losing_answers("/rest/", once_each=True)
    for body in ("a", "b"):
        with pytest.raises(CUT):
            await post(http, body=body)
        assert await post(http, body=body) == 201
    assert server.bodies == ["a", "a", "b", "b"]


async def test_half_open_websockets_answer_nothing(network, http):
    """Not even a ping; REST goes on, and so do new websockets. What was held up arrives after resume()."""
    async with http.ws_connect(SOCKET, autoping=False) as silent, http.ws_connect(SOCKET) as second:
        network.silence(websockets_only=True)
        async with http.ws_connect(SOCKET) as later:
            await silent.ping(b"1")
            await second.send_str("late")
            assert await post(http) == 201
            assert await repeated(later, "hello") == "hello"
            for socket in (silent, second):
                with pytest.raises(TimeoutError):
                    await socket.receive(timeout=0.1)
        network.resume()
        assert await second.receive_str(timeout=10) == "late"


async def test_new_connections_can_be_silent_too(network, http):
    """They connect and get no answer."""
    network.silence(new_too=True)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(post(http), 0.1)
    network.resume()
    assert await post(http) == 201


async def test_new_websockets_can_be_silent_alone(network, http):
    """Their upgrade gets no answer, while REST goes on."""
    network.silence(websockets_only=True, new_too=True)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(http.ws_connect(SOCKET), 0.1)
    assert await post(http) == 201


async def test_delay_counts_once_each_way(network, http):
    """A request takes two of them longer."""
    await post(http)
    network.delay = DELAY
    begun = time.perf_counter()
    await post(http)
    assert 2 * DELAY <= time.perf_counter() - begun < 3 * DELAY


async def test_delay_does_not_limit_what_passes(network, http):
    """A hundred frames sent together arrive in order, and no later than one."""
    async with http.ws_connect(SOCKET) as socket:
        network.delay = DELAY
        begun = time.perf_counter()
        for number in range(100):
            await socket.send_str(f"{number}")
        assert [await socket.receive_str(timeout=10) for _ in range(100)] == [f"{number}" for number in range(100)]
        assert 2 * DELAY <= time.perf_counter() - begun < 10 * DELAY


async def test_throttling_limits_the_bytes_in_a_second(network, http):
    """Ten kilobytes there and back, at a hundred a second, take two tenths."""
    network.bytes_per_second = 100_000
    begun = time.perf_counter()
    await post(http, body="x" * 10_000)
    assert 0.2 <= time.perf_counter() - begun < 1


async def test_a_dead_target_looks_like_a_dead_host(network, http, server):
    """The client is reset; another target can take its place."""
    await server.stop()
    with pytest.raises(CUT):
        await post(http)
    other = web.AppRunner(web.Application())
    await other.setup()
    site = web.TCPSite(other, "127.0.0.1", 0)
    await site.start()
    network.target = site.name
    assert await post(http) == 404
    await other.cleanup()


async def test_a_target_that_dies_takes_its_websockets_along(http):
    """Without a close frame."""
    async with http.ws_connect(SOCKET) as socket:
        await socket.send_str("/die")
        await socket.receive(timeout=10)
        assert socket.close_code == aiohttp.WSCloseCode.ABNORMAL_CLOSURE


async def test_frames_can_be_dropped_and_doubled(network, http):
    """The hook says what a client gets in place of each."""
    network.frames = lambda: lambda frame: {"one": [], "two": ["two", "two"]}.get(frame, [frame])
    async with http.ws_connect(SOCKET) as socket:
        for text in ("one", "two", "three"):
            await socket.send_str(text)
        assert [await socket.receive_str(timeout=10) for _ in range(3)] == ["two", "two", "three"]


async def test_what_was_sent_is_seen_as_the_server_sent_it(network, http):
    """Before any hook; changes apart from other frames, in both versions of the protocol."""
    network.frames = lambda: lambda _: []
    older = json.dumps({"topic": "x", "event": "postgres_changes", "payload": {"number": 2}, "ref": None})
    async with http.ws_connect(SOCKET) as socket:
        for text in (change(1), older, '{"event": "system"}'):
            await socket.send_str(text)
        await network.until(lambda: len(network.sockets[0].frames) == 3)
    assert network.sockets[0].changes == [{"number": 1}, {"number": 2}]


async def test_requests_are_counted(network, http):
    """By method and path, without the query."""
    await post(http)
    await post(http, "/rest/v1/notes?select=id")
    async with http.get("/rest/v1/notes"):
        pass
    assert network.requests == Counter({("POST", "/rest/v1/notes"): 2, ("GET", "/rest/v1/notes"): 1})


async def test_websockets_are_counted(network, http):
    """Those opened so far, and those open now."""
    async with http.ws_connect(SOCKET), http.ws_connect(SOCKET) as second:
        await network.until(lambda: len(network.open_sockets) == 2)
        await second.close()
        await network.until(lambda: len(network.open_sockets) == 1)
    assert len(network.sockets) == 2


async def test_nothing_is_left_at_the_end(server):
    """No task, whatever was under way: a silent websocket, an answer that is a minute away."""
    before = asyncio.all_tasks()
    async with aiohttp.ClientSession() as http:
        async with faults.proxy(server.url) as network:
            socket = await http.ws_connect(network.url + SOCKET)
            network.silence()
            request = asyncio.create_task(post(http, network.url))
            await network.until(lambda: network.requests["POST", "/"])
            network.delay = 60.0
        with pytest.raises(CUT):
            await request
        await socket.close()
    await server.codes.get()
    assert {task for task in asyncio.all_tasks() - before if not task.done()} == set()


def run_of(seed, **chances):
    """What a client gets of a hundred changes with a reply after each tenth."""
    hook = frames.unreliable(seed, **chances)()
    return [out for number in range(100) for out in hook(change(number)) + (hook("{}") if number % 10 == 9 else [])]


def test_unreliable_changes_differ_by_seed_only():
    """The same seed does the same."""
    chances = {"drop": 0.1, "duplicate": 0.1, "reorder": 0.2}
    assert run_of(1, **chances) == run_of(1, **chances) != run_of(2, **chances)


@pytest.mark.parametrize("fault", ["drop", "duplicate", "reorder"])
def test_unreliable_changes_meet_each_fault(fault):
    """Other frames all pass."""
    got = run_of(1, **{fault: 0.3})
    numbers = [frames.change_in(frame)["number"] for frame in got if frame != "{}"]
    assert got.count("{}") == 10
    assert (len(numbers) < 100, len(set(numbers)) < len(numbers), sorted(numbers) != numbers) == (
        fault == "drop", fault == "duplicate", fault == "reorder",
    )  # fmt: skip


async def test_the_sdk_works_through_it(stack, session, user):
    """REST and live changes, each message's answer lost once."""
    async with (
        faults.proxy(stack.url) as network,
        Babelroom.connect(url=network.url, key=stack.publishable_key) as client,
    ):
        network.losing_answers("/rest/v1/rpc/send_message", once_each=True)
        messages = asyncio.Queue()
        await client.messages.subscribe_to_messages(session.id, messages.put_nowait)
        sent = await client.messages.create_message(session.id, user, "Hi", "en", "es")
        assert await asyncio.wait_for(messages.get(), 10) == sent
        assert len(network.sockets[0].changes) == 1
