// Calling functions of the database.
import assert from 'node:assert/strict'
import { randomUUID as unique } from 'node:crypto'

export default {
  'a scalar comes back bare': async ({ anyone }) => {
    const { data } = await anyone.rpc('add', { a: 40, b: 2 }).throwOnError()
    assert.equal(data, 42)
  },

  'a function may be called by GET': async ({ anyone }) => {
    const { data } = await anyone.rpc('add', { a: 40, b: 2 }, { get: true }).throwOnError()
    assert.equal(data, 42)
  },

  'rows that a function returns are filtered, ordered and embedded on': async ({ anyone }) => {
    const name = unique()
    const { data: room } = await anyone.from('rooms').insert({ name }).select().single().throwOnError()
    await anyone.from('notes').insert(['a', 'b', 'c'].map((body) => ({ room_id: room.id, body }))).throwOnError()
    const { data } = await anyone
      .rpc('notes_in', { room: name }).select('body, rooms(name)').neq('body', 'b').order('body', { ascending: false })
      .throwOnError()
    assert.deepEqual(data, [{ body: 'c', rooms: { name } }, { body: 'a', rooms: { name } }])
  },

  'what a function raises arrives whole': async ({ anyone }) => {
    const { error, status } = await anyone.rpc('refuse', { reason: 'taken' })
    const { code, message, details, hint } = error
    assert.deepEqual(
      { status, code, message, details, hint },
      { status: 409, code: 'PT409', message: 'taken', details: 'the detail', hint: 'the hint' },
    )
  },

  'an unknown function is not found': async ({ anyone }) => {
    const { error, status } = await anyone.rpc('subtract', { a: 1 })
    assert.deepEqual([error.code, status], ['PGRST202', 404])
  },
}
