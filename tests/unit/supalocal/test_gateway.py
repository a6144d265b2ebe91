"""The HTTP door: routes, CORS and keys."""

import asyncio
import io

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from supalocal import ports
from supalocal.apikey import APIKEY, AUTHORIZATION
from supalocal.gateway import Gateway
from supalocal.keys import PUBLISHABLE_KEY, SECRET_KEY, Keys

KEYS = Keys()


class Echo:
    """Tells what arrived behind the gateway."""

    def __init__(self):
        self.begun, self.lost = asyncio.Event(), asyncio.Event()

    async def handle(self, request):
        return web.json_response(
            {
                "path": request.match_info.get("path", ""),
                "query": request.rel_url.raw_query_string,
                "authorization": request.get(AUTHORIZATION),
                "header": request.headers.get("Authorization"),
                "size": len(await self.read(request)),
            }
        )

    def refuse(self, method, path):
        return web.json_response({"refused": [method, path]}, status=405)

    async def read(self, request):
        """What handle() does, watched."""
        self.begun.set()
        try:
            return await request.read()
        except ConnectionError:
            self.lost.set()
            raise

    async def handle_broadcast(self, request):
        return web.json_response({"apikey": request.get(APIKEY)})

    async def handle_socket(self, request):
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        await socket.send_json({"apikey": request.get(APIKEY)})
        await socket.close()
        return socket


@pytest.fixture(scope="module")
def echo():
    return Echo()


@pytest.fixture(scope="module")
async def door(echo):
    gateway = Gateway(keys=KEYS, rest=echo, auth=echo, realtime=echo)
    listener = ports.bind(0, option="--port")
    await gateway.start(listener)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{listener.getsockname()[1]}") as session:
        yield session
    await gateway.close()


@pytest.mark.parametrize(
    ("url", "path"), [("/rest/v1", ""), ("/rest/v1/", ""), ("/rest/v1/rpc/f", "rpc/f"), ("/auth/v1/user", "user")]
)
async def test_a_service_sees_the_path_below_its_prefix(door, url, path):
    """Each service is mounted with and without a trailing slash."""
    async with door.get(url) as answer:
        assert (await answer.json())["path"] == path


async def test_the_query_arrives_as_it_was_sent(door):
    """Nothing is decoded on the way, as REST parses the raw text."""
    raw = "select=a,b->>c&or=(a.eq.%22x%2Cy%22,b.is.null)"
    async with door.get(URL(f"/rest/v1/t?{raw}", encoded=True)) as answer:
        assert (await answer.json())["query"] == raw


@pytest.mark.parametrize(("apikey", "token"), [(PUBLISHABLE_KEY, KEYS.anon), (SECRET_KEY, KEYS.service_role)])
async def test_an_sb_key_arrives_as_its_token(door, apikey, token):
    """Both clients' ways to send such a key end in the role's JWT."""
    for headers in ({"apikey": apikey}, {"apikey": apikey, "Authorization": f"Bearer {apikey}"}):
        async with door.post("/rest/v1/t", headers=headers, data=b"body") as answer:
            told = await answer.json()
            assert (told["authorization"], told["size"]) == (f"Bearer {token}", 4)
        async with door.post("/auth/v1/t", headers=headers, data=b"body") as answer:
            told = await answer.json()
            assert (told["header"], told["size"]) == (f"Bearer {token}", 4)


async def test_an_unknown_sb_key_is_no_bearer_token(door):
    """`Bearer sb_...` never reaches a service."""
    async with door.get("/rest/v1/t", headers={"Authorization": "Bearer sb_secret_other"}) as answer:
        assert (await answer.json())["authorization"] is None


async def test_a_websocket_key_is_resolved_from_the_query(door):
    """A browser can send its key in the query only."""
    async with door.ws_connect(f"/realtime/v1/websocket?apikey={SECRET_KEY}&vsn=1.0.0") as socket:
        assert await socket.receive_json() == {"apikey": KEYS.service_role}


async def test_a_broadcast_acts_as_the_user_whose_token_it_brings(door):
    """The user's token wins over the key beside it."""
    headers = {"apikey": SECRET_KEY, "Authorization": "Bearer a.b.c"}
    async with door.post("/realtime/v1/api/broadcast", headers=headers) as answer:
        assert await answer.json() == {"apikey": "a.b.c"}


async def test_a_preflight_allows_any_origin(door):
    """The browser's question is answered for every path, with the headers it asked for."""
    asked = {
        "Origin": "http://localhost:5173",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "apikey, prefer",
    }
    async with door.options("/rest/v1/t", headers=asked) as answer:
        assert answer.status == 200
        assert {name: answer.headers[f"Access-Control-{name}"] for name in _PREFLIGHT} == _PREFLIGHT


_PREFLIGHT = {
    "Allow-Origin": "*",
    "Allow-Methods": "GET, POST, PATCH, PUT, DELETE, OPTIONS, HEAD",
    "Allow-Headers": "Authorization, apikey, prefer",
    "Max-Age": "86400",
}


async def test_an_answer_may_be_read_by_any_origin(door):
    """The pagination headers are exposed to browsers."""
    async with door.get("/rest/v1/t", headers={"Origin": "http://localhost:5173"}) as answer:
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Content-Range" in answer.headers["Access-Control-Expose-Headers"]


async def test_options_without_an_origin_reaches_the_service(door):
    """Only a browser's preflight is answered at the door."""
    async with door.options("/rest/v1/t") as answer:
        assert (await answer.json())["path"] == "t"


@pytest.mark.parametrize(
    "path", ["/storage/v1/object", "/functions/v1/hello", "/graphql/v1", "/realtime/v1/api/health"]
)
async def test_what_is_not_supported_is_named(door, path):
    """A Supabase service that is missing here answers 501 with its path."""
    async with door.get(path) as answer:
        assert (answer.status, await answer.json()) == (501, {"message": f"GET {path} is not supported by supalocal."})


async def test_an_unknown_path_says_what_there_is(door):
    """A wrong URL is answered with the right ones."""
    async with door.get("/todos") as answer:
        assert answer.status == 404
        assert "/rest/v1" in (await answer.json())["message"]


async def test_large_requests_pass(door):
    """A body of 60 MB and a query of 100 kB arrive."""
    async with door.post("/rest/v1/t?id=in.(" + "1," * 50_000 + "1)", data=io.BytesIO(bytes(60_000_000))) as answer:
        assert (await answer.json())["size"] == 60_000_000


@pytest.mark.parametrize(("target", "status"), [("/rest/v1/t?id=eq.1", 405), ("/auth/v1/user", 400), ("/", 400)])
async def test_a_made_up_method_is_answered(door, caplog, target, status):
    """REST has an answer of its own; elsewhere it is a broken request. Neither is logged as a failure."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door._base_url.port)
    writer.write(f"FROB {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    answer = (await reader.read()).decode()
    writer.close()
    assert answer.partition(" ")[2].startswith(f"{status} ")
    assert ('{"refused": ["FROB", "t"]}' in answer) == (status == 405)
    assert not caplog.records


async def test_what_is_not_http_is_answered(door, caplog):
    """Such as TLS on this port."""
    reader, writer = await asyncio.open_connection("127.0.0.1", door._base_url.port)
    writer.write(b"\x16\x03\x01 hello\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.")
    assert b" 400 " in answer
    assert not caplog.records


async def test_a_client_that_leaves_amid_its_request_is_no_failure(door, echo, caplog):
    """Nothing is logged, and the next request is answered."""
    echo.begun.clear()
    _, writer = await asyncio.open_connection("127.0.0.1", door._base_url.port)
    writer.write(b"POST /rest/v1/t HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n[1,")
    await asyncio.wait_for(echo.begun.wait(), 10)
    writer.close()
    await asyncio.wait_for(echo.lost.wait(), 10)
    async with door.get("/rest/v1/t") as answer:
        assert answer.status == 200
    assert not caplog.records
