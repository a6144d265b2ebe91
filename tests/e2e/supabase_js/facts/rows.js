// Reading and writing rows, and what the two keys may see of them.
import assert from 'node:assert/strict'
import { randomUUID as unique } from 'node:crypto'

const room = (db, columns) =>
  db.from('rooms').insert({ name: unique(), ...columns }).select().single().throwOnError().then(({ data }) => data)

export default {
  'an insert returns the row with its defaults': async ({ anyone }) => {
    const name = unique()
    const { data, error, status } = await anyone.from('rooms').insert({ name }).select()
    assert.deepEqual({ error, status, rows: data.length }, { error: null, status: 201, rows: 1 })
    assert.deepEqual(data[0], { id: data[0].id, name, topic: null })
  },

  'an insert without a select returns nothing': async ({ anyone }) => {
    const { data, error, status } = await anyone.from('rooms').insert({ name: unique() })
    assert.deepEqual({ data, error, status }, { data: null, error: null, status: 201 })
  },

  'a list is inserted in one go, missing columns as null': async ({ anyone }) => {
    const [first, second] = [unique(), unique()]
    const rooms = [{ name: first, topic: 'tea' }, { name: second }]
    const { data } = await anyone.from('rooms').insert(rooms).select('name, topic').throwOnError()
    assert.deepEqual(data, [{ name: first, topic: 'tea' }, { name: second, topic: null }])
  },

  'a select filters, orders and limits': async ({ anyone }) => {
    const topic = unique()
    await anyone.from('rooms').insert([1, 2, 3].map((n) => ({ name: `${topic}-${n}`, topic }))).throwOnError()
    const { data } = await anyone
      .from('rooms').select('name').eq('topic', topic).order('name', { ascending: false }).range(0, 1).throwOnError()
    assert.deepEqual(data, [{ name: `${topic}-3` }, { name: `${topic}-2` }])
  },

  'a select with or, in and like finds the rows': async ({ anyone }) => {
    const topic = unique()
    const names = ['a,b', 'c"d', '(e)'].map((odd) => `${topic} ${odd}`)
    await anyone.from('rooms').insert(names.map((name) => ({ name, topic }))).throwOnError()
    const some = await anyone.from('rooms').select('name').in('name', names.slice(0, 2)).order('name').throwOnError()
    const either = await anyone
      .from('rooms').select('name').eq('topic', topic).or(`name.like."*(e)",name.eq."${names[0]}"`).order('name').throwOnError()
    assert.deepEqual(some.data.map((row) => row.name), names.slice(0, 2))
    assert.deepEqual(either.data.map((row) => row.name).sort(), [names[0], names[2]].sort())
  },

  'a head request counts without rows': async ({ anyone }) => {
    const topic = unique()
    await anyone.from('rooms').insert([1, 2, 3].map(() => ({ name: unique(), topic }))).throwOnError()
    const { data, count } = await anyone.from('rooms').select('*', { count: 'exact', head: true }).eq('topic', topic)
    assert.deepEqual({ data, count }, { data: null, count: 3 })
  },

  'an update returns the changed rows': async ({ anyone }) => {
    const { id, name } = await room(anyone)
    const { data } = await anyone.from('rooms').update({ topic: 'new' }).eq('id', id).select().throwOnError()
    assert.deepEqual(data, [{ id, name, topic: 'new' }])
  },

  'an upsert inserts, then updates': async ({ anyone }) => {
    const name = unique()
    const upsert = (topic) =>
      anyone.from('rooms').upsert({ name, topic }, { onConflict: 'name' }).select('name, topic').throwOnError()
    const [first, second] = [await upsert('old'), await upsert('new')]
    assert.deepEqual([first.status, first.data], [201, [{ name, topic: 'old' }]])
    assert.deepEqual([second.status, second.data], [200, [{ name, topic: 'new' }]])
  },

  'an upsert that ignores duplicates leaves the row alone': async ({ anyone }) => {
    const { name } = await room(anyone, { topic: 'old' })
    const options = { onConflict: 'name', ignoreDuplicates: true }
    const { data } = await anyone.from('rooms').upsert({ name, topic: 'new' }, options).select().throwOnError()
    const kept = await anyone.from('rooms').select('topic').eq('name', name).single().throwOnError()
    assert.deepEqual([data, kept.data], [[], { topic: 'old' }])
  },

  'a delete returns what it deleted': async ({ anyone }) => {
    const gone = await room(anyone)
    const { data } = await anyone.from('rooms').delete().eq('id', gone.id).select().throwOnError()
    const left = await anyone.from('rooms').select().eq('id', gone.id).throwOnError()
    assert.deepEqual([data, left.data], [[gone], []])
  },

  'one row that is not there is an error of its own': async ({ anyone }) => {
    const { data, error, status } = await anyone.from('rooms').select().eq('name', unique()).single()
    assert.deepEqual([data, error.code, status], [null, 'PGRST116', 406])
  },

  'a duplicate is a conflict': async ({ anyone }) => {
    const { name } = await room(anyone)
    const { error, status } = await anyone.from('rooms').insert({ name })
    assert.deepEqual([error.code, status], ['23505', 409])
  },

  'a foreign key is read from both of its ends': async ({ anyone }) => {
    const { id, name } = await room(anyone)
    await anyone.from('notes').insert(['one', 'two'].map((body) => ({ room_id: id, body }))).throwOnError()
    const down = await anyone
      .from('rooms').select('name, notes(body)').eq('id', id).order('id', { referencedTable: 'notes' }).single().throwOnError()
    const up = await anyone.from('notes').select('body, room:rooms(name)').eq('room_id', id).order('id').throwOnError()
    assert.deepEqual(down.data, { name, notes: [{ body: 'one' }, { body: 'two' }] })
    assert.deepEqual(up.data, [{ body: 'one', room: { name } }, { body: 'two', room: { name } }])
  },

  'an inner embed leaves out the rows without': async ({ anyone }) => {
    const topic = unique()
    const [full] = [await room(anyone, { topic }), await room(anyone, { topic })]
    await anyone.from('notes').insert({ room_id: full.id, body: 'only', labels: ['a b', 'c'] }).throwOnError()
    const { data } = await anyone
      .from('rooms').select('id, notes!inner(labels)').eq('topic', topic).contains('notes.labels', ['a b']).throwOnError()
    assert.deepEqual(data, [{ id: full.id, notes: [{ labels: ['a b', 'c'] }] }])
  },

  'rows come as csv': async ({ anyone }) => {
    const { id, name } = await room(anyone)
    const { data } = await anyone.from('rooms').select('id, name').eq('id', id).csv().throwOnError()
    assert.equal(data, `id,name\n${id},${name}`)
  },

  'a policy refuses the public key a row that is not its own': async ({ anyone }) => {
    const { id } = await room(anyone)
    const { error, status } = await anyone.from('notes').insert({ room_id: id, body: 'forged', author: unique() })
    assert.deepEqual([error.code, status], ['42501', 401])
  },

  'the secret key passes over the policies that bind the public one': async ({ anyone, admin, member }) => {
    const author = await member()
    const { id } = await room(author)
    await author.from('notes').insert({ room_id: id, body: 'mine' }).throwOnError()
    const seen = (db) => db.from('notes').select('body').eq('room_id', id).throwOnError().then(({ data }) => data)
    assert.deepEqual([await seen(anyone), await seen(author), await seen(admin)], [[], [{ body: 'mine' }], [{ body: 'mine' }]])
  },

  'a user behind the secret key is still bound as that user': async ({ admin, client, member, secretKey }) => {
    const [author, stranger] = [await member(), await member()]
    const { id } = await room(author)
    await author.from('notes').insert({ room_id: id, body: 'mine' }).throwOnError()
    const { data } = await stranger.auth.getSession()
    const headers = { Authorization: `Bearer ${data.session.access_token}` }
    const both = client(secretKey, { global: { headers } })
    const seen = await both.from('notes').select().eq('room_id', id).throwOnError()
    assert.deepEqual(seen.data, [])
  },
}
