// Waiting for what may never come, by name.

export async function within(promise, what, seconds = 10) {
  let timer
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${seconds} s`)), seconds * 1000)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export function inbox(what) {
  const arrived = []
  const waiting = []
  return {
    put: (item) => (waiting.length ? waiting.shift()(item) : arrived.push(item)),
    next: () =>
      arrived.length ? Promise.resolve(arrived.shift()) : within(new Promise((ready) => waiting.push(ready)), what),
  }
}

// Resolves when the channel is joined; with changes, when they are promised.
export function joined(channel, { changes = false } = {}) {
  const answer = new Promise((resolve, reject) => {
    if (changes) {
      channel.on('system', {}, ({ status, message }) => (status === 'ok' ? resolve(channel) : reject(new Error(message))))
    }
    channel.subscribe((state, error) => {
      if (state === 'SUBSCRIBED' && !changes) resolve(channel)
      if (state === 'CHANNEL_ERROR' || state === 'TIMED_OUT') reject(error ?? new Error(state))
    })
  })
  return within(answer, `joining ${channel.topic}`)
}
