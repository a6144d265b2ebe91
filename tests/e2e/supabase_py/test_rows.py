"""Reading and writing rows, and what the two keys may see of them."""

from uuid import uuid4

import pytest
from postgrest import APIError, CountMethod


def unique():
    return str(uuid4())


async def test_insert_returns_the_row(anyone):
    """The row comes back with its defaults."""
    name = unique()
    (row,) = (await anyone.table("rooms").insert({"name": name}).execute()).data
    assert row == {"id": row["id"], "name": name, "topic": None}


async def test_list_is_inserted_in_one_go(anyone):
    """A column that one row lacks is null there."""
    names = [unique(), unique()]
    rows = [{"name": names[0], "topic": "tea"}, {"name": names[1]}]
    answer = await anyone.table("rooms").insert(rows).execute()
    assert [(row["name"], row["topic"]) for row in answer.data] == [(names[0], "tea"), (names[1], None)]


async def test_select_filters_orders_and_limits(anyone):
    """The rows that match, in the order asked for, as many as asked for."""
    topic = unique()
    await anyone.table("rooms").insert([{"name": f"{topic}-{n}", "topic": topic} for n in (1, 2, 3)]).execute()
    query = anyone.table("rooms").select("name").eq("topic", topic).order("name", desc=True).range(0, 1)
    assert (await query.execute()).data == [{"name": f"{topic}-3"}, {"name": f"{topic}-2"}]


async def test_select_with_odd_values(anyone):
    """Commas, quotes and parentheses in values are no grammar."""
    topic = unique()
    names = [f"{topic} {odd}" for odd in ("a,b", 'c"d', "(e)")]
    await anyone.table("rooms").insert([{"name": name, "topic": topic} for name in names]).execute()
    some = await anyone.table("rooms").select("name").in_("name", names).order("name").execute()
    either = await anyone.table("rooms").select("name").or_(f'name.eq."{names[0]}",name.like."{topic} (*"').execute()
    assert sorted(row["name"] for row in some.data) == sorted(names)
    assert sorted(row["name"] for row in either.data) == sorted([names[0], names[2]])


async def test_count_without_rows(anyone):
    """A head request counts."""
    topic = unique()
    await anyone.table("rooms").insert([{"name": unique(), "topic": topic} for _ in range(3)]).execute()
    answer = await anyone.table("rooms").select("*", count=CountMethod.exact, head=True).eq("topic", topic).execute()
    assert (answer.data, answer.count) == ([], 3)


async def test_update_returns_the_changed_rows(anyone, room):
    """As they are now."""
    before = await room()
    answer = await anyone.table("rooms").update({"topic": "new"}).eq("id", before["id"]).execute()
    assert answer.data == [before | {"topic": "new"}]


async def test_upsert_inserts_then_updates(anyone):
    """By the unique column that it is told."""
    name = unique()
    answers = [
        await anyone.table("rooms").upsert({"name": name, "topic": topic}, on_conflict="name").execute()
        for topic in ("old", "new")
    ]
    (old,), (new,) = (answer.data for answer in answers)
    assert new == old | {"topic": "new"}


async def test_upsert_that_ignores_duplicates(anyone, room):
    """The row that is there stays as it is, and does not come back."""
    before = await room(topic="old")
    row = {"name": before["name"], "topic": "new"}
    answer = await anyone.table("rooms").upsert(row, on_conflict="name", ignore_duplicates=True).execute()
    after = await anyone.table("rooms").select("*").eq("id", before["id"]).single().execute()
    assert (answer.data, after.data) == ([], before)


async def test_delete_returns_what_it_deleted(anyone, room):
    """And it is gone."""
    gone = await room()
    answer = await anyone.table("rooms").delete().eq("id", gone["id"]).execute()
    left = await anyone.table("rooms").select("*").eq("id", gone["id"]).execute()
    assert (answer.data, left.data) == ([gone], [])


async def test_single_row_that_is_not_there(anyone):
    """It is an error of its own, and with `maybe_single` nothing."""
    query = anyone.table("rooms").select("*").eq("name", unique())
    with pytest.raises(APIError) as raised:
        await query.single().execute()
    maybe = await anyone.table("rooms").select("*").eq("name", unique()).maybe_single().execute()
    assert (raised.value.code, maybe) == ("PGRST116", None)


async def test_duplicate_is_a_conflict(anyone, room):
    """With Postgres's own code."""
    with pytest.raises(APIError) as raised:
        await anyone.table("rooms").insert({"name": (await room())["name"]}).execute()
    assert raised.value.code == "23505"


async def test_foreign_key_is_read_from_both_ends(anyone, room):
    """A list of the many, an object of the one."""
    made = await room()
    await anyone.table("notes").insert([{"room_id": made["id"], "body": body} for body in ("one", "two")]).execute()
    down = anyone.table("rooms").select("name, notes(body)").eq("id", made["id"]).order("id", foreign_table="notes")
    up = anyone.table("notes").select("body, room:rooms(name)").eq("room_id", made["id"]).order("id")
    assert (await down.single().execute()).data == {"name": made["name"], "notes": [{"body": "one"}, {"body": "two"}]}
    assert (await up.execute()).data == [{"body": body, "room": {"name": made["name"]}} for body in ("one", "two")]


async def test_inner_embed_leaves_out_the_rows_without(anyone, room):
    """Only rooms with such a note come back."""
    topic = unique()
    full, _ = await room(topic=topic), await room(topic=topic)
    await anyone.table("notes").insert({"room_id": full["id"], "body": "only", "labels": ["a b", "c,d"]}).execute()
    query = anyone.table("rooms").select("id, notes!inner(labels)").eq("topic", topic)
    answer = await query.contains("notes.labels", ["c,d"]).execute()
    assert answer.data == [{"id": full["id"], "notes": [{"labels": ["a b", "c,d"]}]}]


async def test_rows_as_csv(anyone, room):
    """A header line and a line for each row."""
    made = await room()
    answer = await anyone.table("rooms").select("id, name").eq("id", made["id"]).csv().execute()
    assert answer.data == f"id,name\n{made['id']},{made['name']}"


async def test_policy_binds_the_public_key(anyone, room):
    """A row that it may not write is refused."""
    note = {"room_id": (await room())["id"], "body": "forged", "author": unique()}
    with pytest.raises(APIError) as raised:
        await anyone.table("notes").insert(note).execute()
    assert raised.value.code == "42501"


async def test_secret_key_passes_over_policies(anyone, admin, member, room):
    """What is signed its author sees, and the secret key."""
    author = await member()
    note = {"room_id": (await room())["id"], "body": "mine"}
    (written,) = (await author.table("notes").insert(note).execute()).data
    seen = [
        (await db.table("notes").select("*").eq("id", written["id"]).execute()).data for db in (anyone, author, admin)
    ]
    assert seen == [[], [written], [written]]


async def test_user_behind_the_secret_key_is_bound(client, keys, member, room):
    """The user's token counts, not the key beside it."""
    author, stranger = await member(), await member()
    note = {"room_id": (await room())["id"], "body": "mine"}
    (written,) = (await author.table("notes").insert(note).execute()).data
    token = (await stranger.auth.get_session()).access_token
    both = await client(keys[1], Authorization=f"Bearer {token}")
    assert (await both.table("notes").select("*").eq("id", written["id"]).execute()).data == []
