"""Calling functions of the database."""

import pytest
from postgrest import APIError


@pytest.mark.parametrize("get", [False, True])
async def test_scalar_comes_back_bare(anyone, get):
    """By POST and by GET."""
    assert (await anyone.rpc("add", {"a": 40, "b": 2}, get=get).execute()).data == 42


async def test_rows_of_a_function_are_a_table(anyone, room):
    """They are filtered, ordered and embedded on."""
    made = await room()
    await anyone.table("notes").insert([{"room_id": made["id"], "body": body} for body in "abc"]).execute()
    query = anyone.rpc("notes_in", {"room": made["name"]}).select("body, rooms(name)").neq("body", "b")
    answer = await query.order("body", desc=True).execute()
    assert answer.data == [{"body": body, "rooms": {"name": made["name"]}} for body in "ca"]


async def test_raised_error_arrives_whole(anyone):
    """Code, message, details and hint."""
    with pytest.raises(APIError) as raised:
        await anyone.rpc("refuse", {"reason": "taken"}).execute()
    error = raised.value
    assert (error.code, error.message, error.details, error.hint) == ("PT409", "taken", "the detail", "the hint")


async def test_unknown_function_is_not_found(anyone):
    """With PostgREST's own code."""
    with pytest.raises(APIError) as raised:
        await anyone.rpc("subtract", {"a": 1}).execute()
    assert raised.value.code == "PGRST202"
