// An unmodified supabase-js client, asked for one file of facts: says of each on a line of JSON whether it holds.
// usage: node report.js FILE URL PUBLIC_KEY SECRET_KEY
import { createClient } from '@supabase/supabase-js'
import ws from 'ws'
import { within } from './waiting.js'

const [file, url, publicKey, secretKey] = process.argv.slice(2)
const { default: facts } = await import(`./facts/${file}.js`)

for (const [fact, check] of Object.entries(facts)) {
  const clients = []
  const client = (key = publicKey, options = {}) => {
    const auth = { persistSession: false, autoRefreshToken: false }
    clients.push(createClient(url, key, { auth, realtime: { transport: ws }, ...options }))
    return clients.at(-1)
  }
  const member = async () => {
    const signedIn = client()
    const { error } = await signedIn.auth.signInAnonymously()
    if (error) throw error
    return signedIn
  }
  let error = null
  try {
    await within(check({ anyone: client(), admin: client(secretKey), client, member, secretKey }), 'the whole fact', 25)
  } catch (thrown) {
    error = thrown.stack
  }
  console.log(JSON.stringify({ fact, error }))
  await Promise.all(clients.map((each) => each.removeAllChannels()))
}
process.exit()
