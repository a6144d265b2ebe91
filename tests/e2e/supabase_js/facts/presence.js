// Who is there.
import assert from 'node:assert/strict'
import { randomUUID as unique } from 'node:crypto'
import { inbox, joined } from '../waiting.js'

async function enter(db, topic, key, options = {}) {
  const [synced, came, left] = ['a sync', 'a join', 'a leave'].map(inbox)
  const channel = db
    .channel(topic, { config: { presence: { key }, ...options } })
    .on('presence', { event: 'sync' }, () => synced.put(channel.presenceState()))
    .on('presence', { event: 'join' }, came.put)
    .on('presence', { event: 'leave' }, left.put)
  return { channel: await joined(channel), synced, came, left }
}

const bare = (presences) => presences.map(({ presence_ref, ...state }) => state)

export default {
  'an empty room is told as empty': async ({ anyone }) => {
    const { synced } = await enter(anyone, unique(), 'ada')
    assert.deepEqual(await synced.next(), {})
  },

  'whoever tracks itself is seen by all': async ({ anyone, client }) => {
    const topic = unique()
    const [ada, bob] = [await enter(anyone, topic, 'ada'), await enter(client(), topic, 'bob')]
    assert.equal(await ada.channel.track({ mood: 'calm' }), 'ok')
    const seen = [await ada.came.next(), await bob.came.next()]
    assert.deepEqual(seen.map(({ key, newPresences }) => [key, bare(newPresences)]), [
      ['ada', [{ mood: 'calm' }]],
      ['ada', [{ mood: 'calm' }]],
    ])
  },

  'a newcomer is told who is there': async ({ anyone, client }) => {
    const topic = unique()
    const ada = await enter(anyone, topic, 'ada')
    await ada.channel.track({ mood: 'calm' })
    await ada.came.next()
    const bob = await enter(client(), topic, 'bob')
    const state = await bob.synced.next()
    assert.deepEqual([Object.keys(state), bare(state.ada)], [['ada'], [{ mood: 'calm' }]])
  },

  'a changed state takes the place of the one before': async ({ anyone, client }) => {
    const topic = unique()
    const [ada, bob] = [await enter(anyone, topic, 'ada'), await enter(client(), topic, 'bob')]
    await ada.channel.track({ mood: 'calm' })
    await bob.came.next()
    await ada.channel.track({ mood: 'merry' })
    await bob.came.next()
    assert.deepEqual(bare(bob.channel.presenceState().ada), [{ mood: 'merry' }])
  },

  'whoever untracks itself is gone': async ({ anyone, client }) => {
    const topic = unique()
    const [ada, bob] = [await enter(anyone, topic, 'ada'), await enter(client(), topic, 'bob')]
    await ada.channel.track({ mood: 'calm' })
    await bob.came.next()
    await ada.channel.untrack()
    const { key, leftPresences } = await bob.left.next()
    assert.deepEqual([key, bare(leftPresences), bob.channel.presenceState()], ['ada', [{ mood: 'calm' }], {}])
  },

  'whoever loses its connection is gone': async ({ anyone, client }) => {
    const topic = unique()
    const [ada, bob] = [await enter(anyone, topic, 'ada'), await enter(client(), topic, 'bob')]
    await ada.channel.track({ mood: 'calm' })
    await bob.came.next()
    await anyone.realtime.disconnect()
    assert.equal((await bob.left.next()).key, 'ada')
  },

  'a private room shows its guests to each other': async ({ member }) => {
    const topic = `club:${unique()}`
    const [ada, bob] = [
      await enter(await member(), topic, 'ada', { private: true }),
      await enter(await member(), topic, 'bob', { private: true }),
    ]
    assert.equal(await ada.channel.track({ mood: 'calm' }), 'ok')
    assert.equal((await bob.came.next()).key, 'ada')
  },
}
