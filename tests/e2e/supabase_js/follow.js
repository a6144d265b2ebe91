// An unmodified supabase-js client: follows a session's messages, says so, and writes one of its own.
// usage: node follow.js URL KEY SESSION_ID USER_ID; one JSON line for each thing that happens.
import { createClient } from '@supabase/supabase-js'
import ws from 'ws'

const [url, key, session, user] = process.argv.slice(2)
const say = (line) => console.log(JSON.stringify(line))
const supabase = createClient(url, key, { auth: { persistSession: false }, realtime: { transport: ws } })

supabase
  .channel(`messages-${session}`)
  .on(
    'postgres_changes',
    { event: '*', schema: 'public', table: 'messages', filter: `session_id=eq.${session}` },
    (change) => say({ change: change.eventType, row: change.new }),
  )
  .on('system', {}, async ({ message, status }) => {
    say({ system: message, status })
    const { data, error } = await supabase.rpc('send_message', {
      id: crypto.randomUUID(), session_id: session, user_id: user,
      original: 'from JavaScript', original_lang: 'en', target_lang: 'es',
    })
    say({ sent: data, error })
  })
  .subscribe((state, error) => error && say({ state, error: error.message }))
