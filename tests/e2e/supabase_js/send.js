// supabase-js as it is: sends as many messages as a line of standard input says, and answers how long they took.
// usage: node send.js URL KEY USER_ID IN_FLIGHT SESSION_ID...
import { createInterface } from 'node:readline'
import { createClient } from '@supabase/supabase-js'
import ws from 'ws'

const [url, key, user, inFlight, ...sessions] = process.argv.slice(2)
const supabase = createClient(url, key, { auth: { persistSession: false }, realtime: { transport: ws } })

async function send(number) {
  const { error } = await supabase.rpc('send_message', {
    id: crypto.randomUUID(), session_id: sessions[number % sessions.length], user_id: user,
    original: 'Good morning!', original_lang: 'en', target_lang: 'es',
  })
  if (error) throw new Error(error.message)
}

for await (const count of createInterface({ input: process.stdin })) {
  const used = process.cpuUsage()
  const begun = performance.now()
  let next = 0
  const work = async () => {
    while (next < count) await send(next++)
  }
  await Promise.all(Array.from({ length: inFlight }, work))
  const seconds = (performance.now() - begun) / 1000
  const { user: own, system } = process.cpuUsage(used)
  console.log(JSON.stringify({ seconds, cpu: (own + system) / 1e6 }))
}
