// Sending to everybody in a channel.
import assert from 'node:assert/strict'
import { randomUUID as unique } from 'node:crypto'
import { inbox, joined } from '../waiting.js'

async function listen(db, topic, config) {
  const heard = inbox('a broadcast')
  const channel = db.channel(topic, { config }).on('broadcast', { event: '*' }, heard.put)
  return { channel: await joined(channel), next: heard.next }
}

const said = ({ event, payload }) => ({ event, payload })
const hello = { event: 'hello', payload: { n: 1, words: ['ñ', '👋'] } }

export default {
  'what one sends the others hear': async ({ anyone, client }) => {
    const topic = unique()
    const [speaker, listener] = [await listen(anyone, topic), await listen(client(), topic)]
    await speaker.channel.send({ type: 'broadcast', ...hello })
    assert.deepEqual(said(await listener.next()), hello)
  },

  'the speaker hears itself if it asks to': async ({ anyone }) => {
    const speaker = await listen(anyone, unique(), { broadcast: { self: true } })
    await speaker.channel.send({ type: 'broadcast', ...hello })
    assert.deepEqual(said(await speaker.next()), hello)
  },

  'a broadcast is acknowledged if asked to': async ({ anyone }) => {
    const speaker = await listen(anyone, unique(), { broadcast: { ack: true } })
    assert.equal(await speaker.channel.send({ type: 'broadcast', ...hello }), 'ok')
  },

  'bytes arrive as bytes': async ({ anyone, client }) => {
    const topic = unique()
    const [speaker, listener] = [await listen(anyone, topic), await listen(client(), topic)]
    await speaker.channel.send({ type: 'broadcast', event: 'bytes', payload: new Uint8Array([0, 255, 7]).buffer })
    assert.deepEqual([...new Uint8Array((await listener.next()).payload)], [0, 255, 7])
  },

  'a broadcast over HTTP is heard': async ({ anyone, client }) => {
    const topic = unique()
    const listener = await listen(anyone, topic)
    const answer = await client().channel(topic).httpSend(hello.event, hello.payload)
    assert.equal(answer.success, true)
    assert.deepEqual(said(await listener.next()), hello)
  },

  'a broadcast from the database is heard': async ({ anyone }) => {
    const topic = unique()
    const listener = await listen(anyone, topic)
    await anyone.rpc('announce', { topic, ...hello, private: false }).throwOnError()
    const { event, payload } = await listener.next()
    assert.deepEqual({ event, payload: { ...payload, id: undefined } }, { ...hello, payload: { ...hello.payload, id: undefined } })
  },

  'a private channel refuses whom no policy lets in': async ({ anyone }) => {
    await assert.rejects(listen(anyone, `club:${unique()}`, { private: true }), /do not have permissions to read/)
  },

  'a private channel is open to whom its policies let in': async ({ member }) => {
    const topic = `club:${unique()}`
    const config = { private: true, broadcast: { ack: true } }
    const [speaker, listener] = [await listen(await member(), topic, config), await listen(await member(), topic, config)]
    assert.equal(await speaker.channel.send({ type: 'broadcast', ...hello }), 'ok')
    assert.deepEqual(said(await listener.next()), hello)
  },

  'a private and a public channel of one name are two': async ({ anyone, member }) => {
    const topic = `club:${unique()}`
    const [open, closed] = [await listen(anyone, topic), await listen(await member(), topic, { private: true })]
    await anyone.rpc('announce', { topic, event: 'closed', payload: {}, private: true }).throwOnError()
    await anyone.rpc('announce', { topic, event: 'open', payload: {}, private: false }).throwOnError()
    assert.deepEqual([(await closed.next()).event, (await open.next()).event], ['closed', 'open'])
  },

  'a trigger tells a private channel of a row': async ({ anyone, member }) => {
    const { data: room } = await anyone.from('rooms').insert({ name: unique() }).select().single().throwOnError()
    const listener = await listen(await member(), `club:${room.id}`, { private: true })
    const { data: note } = await anyone.from('notes').insert({ room_id: room.id, body: 'told' }).select().single().throwOnError()
    const { event, payload } = await listener.next()
    assert.deepEqual(
      [event, payload.operation, payload.schema, payload.table, payload.record, payload.old_record],
      ['INSERT', 'INSERT', 'public', 'notes', note, null],
    )
  },
}
