// Following the rows of a table.
import assert from 'node:assert/strict'
import { randomUUID as unique } from 'node:crypto'
import { inbox, joined } from '../waiting.js'

const room = (db) => db.from('rooms').insert({ name: unique() }).select().single().throwOnError().then(({ data }) => data)

const note = (db, columns) => db.from('notes').insert(columns).select().single().throwOnError().then(({ data }) => data)

async function follow(db, binding) {
  const heard = inbox('a change')
  const filter = { event: '*', schema: 'public', table: 'notes', ...binding }
  await joined(db.channel(unique()).on('postgres_changes', filter, heard.put), { changes: true })
  return heard
}

export default {
  'an insert, an update and a delete are heard': async ({ anyone }) => {
    const { id: room_id } = await room(anyone)
    const heard = await follow(anyone)
    const written = await note(anyone, { room_id, body: 'first' })
    const changes = [await heard.next()]
    await anyone.from('notes').update({ body: 'second' }).eq('id', written.id).throwOnError()
    changes.push(await heard.next())
    await anyone.from('notes').delete().eq('id', written.id).throwOnError()
    changes.push(await heard.next())
    assert.deepEqual(
      changes.map(({ eventType, table, errors, new: row, old }) => ({ eventType, table, errors, row, old })),
      [
        { eventType: 'INSERT', table: 'notes', errors: null, row: written, old: {} },
        { eventType: 'UPDATE', table: 'notes', errors: null, row: { ...written, body: 'second' }, old: { id: written.id } },
        { eventType: 'DELETE', table: 'notes', errors: null, row: {}, old: { id: written.id } },
      ],
    )
  },

  'a filter leaves out other rows': async ({ anyone }) => {
    const [mine, other] = [await room(anyone), await room(anyone)]
    const heard = await follow(anyone, { filter: `room_id=eq.${mine.id}` })
    await note(anyone, { room_id: other.id, body: 'elsewhere' })
    const here = await note(anyone, { room_id: mine.id, body: 'here' })
    assert.deepEqual((await heard.next()).new, here)
  },

  'a binding to one event leaves out the others': async ({ anyone }) => {
    const { id: room_id } = await room(anyone)
    const heard = await follow(anyone, { event: 'UPDATE', filter: `room_id=eq.${room_id}` })
    const written = await note(anyone, { room_id, body: 'first' })
    await anyone.from('notes').update({ body: 'second' }).eq('id', written.id).throwOnError()
    assert.deepEqual((await heard.next()).new, { ...written, body: 'second' })
  },

  'a policy hides a row from those who may not read it': async ({ anyone, member }) => {
    const { id: room_id } = await room(anyone)
    const author = await member()
    const binding = { event: 'INSERT', filter: `room_id=eq.${room_id}` }
    const [strangers, authors] = [await follow(anyone, binding), await follow(author, binding)]
    const signed = await note(author, { room_id, body: 'mine' })
    const open = await note(anyone, { room_id, body: 'for all' })
    assert.deepEqual([(await authors.next()).new, (await authors.next()).new], [signed, open])
    assert.deepEqual((await strangers.next()).new, open)
  },

  'the secret key hears every row': async ({ anyone, admin, member }) => {
    const { id: room_id } = await room(anyone)
    const heard = await follow(admin, { filter: `room_id=eq.${room_id}` })
    const signed = await note(await member(), { room_id, body: 'mine' })
    assert.deepEqual((await heard.next()).new, signed)
  },

  'a table that is not there is an error of the channel': async ({ anyone }) => {
    await assert.rejects(follow(anyone, { table: 'nowhere' }), /Unable to subscribe to changes/)
  },
}
