// Ordinary SSE clients of the npm world, each in front of connections that a proxy cuts.
// Reads {client, timeout_ms, cuts: [{count, url, whole, body}]} from stdin (`url`: its first connection is cut,
// `whole`: none is), writes [{count, text, meta, connections}].

import { readFileSync } from 'node:fs'
import { fetchEventSource } from '@microsoft/fetch-event-source'
import { EventSource } from 'eventsource'
import { createEventSource } from 'eventsource-client'

// Most of the time they wait before they connect again.
const AT_ONCE = 200

// What fetch-event-source expects of a browser.
globalThis.window = globalThis
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} }

/** What one reader shows, and on how many connections it read. */
class Reader {
  text = ''
  meta = null
  connections = 0

  take = (event) => {
    const data = JSON.parse(event.data)
    if (data.type === 'reset') this.text = ''
    if (data.type === 'chunk') this.text += data.content
    if (data.type === 'done') this.meta = data.meta
  }

  fetch = (input, init) => {
    this.connections += 1
    return fetch(input, init)
  }
}

const post = (body) => ({
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify(body),
})

const CLIENTS = {
  /** It can only GET. The POST before it is cut; 204 ends it, it is never closed. */
  async 'eventsource after POST'(reader, url, body) {
    await fetch(url, post(body)).then((response) => response.text()).catch(() => {})
    await follow(reader, url, body)
  },

  /** The POST is left as soon as it is accepted. The GET is cut, and it asks again by itself. */
  async 'eventsource'(reader, url, body, whole) {
    const sent = await fetch(whole, post(body))
    await sent.body.cancel()
    await follow(reader, url, body)
  },

  /** Sends the POST again by itself; 204 ends it. */
  'eventsource-client': (reader, url, body) => new Promise((resolve) => {
    const source = createEventSource({
      ...post(body), url, fetch: reader.fetch, onMessage: reader.take,
      onDisconnect: () => setTimeout(() => source.readyState === 'closed' && resolve()),
    })
  }),

  /** Sends the POST again by itself, with an id that it takes over before it has handed the event out. */
  'fetch-event-source': (reader, url, body) => fetchAll(reader, url, body, reader.fetch, () => {}),

  /** The same; the page names the last event that it was handed. */
  'fetch-event-source, own id': (reader, url, body) => {
    let id = ''
    const fetchFrom = (input, init) => {
      const { 'last-event-id': _, ...headers } = init.headers
      return reader.fetch(input, { ...init, headers: id ? { ...headers, 'last-event-id': id } : headers })
    }
    return fetchAll(reader, url, body, fetchFrom, (event) => { id = event.id || id })
  },
}

function follow(reader, url, body) {
  const { site_key, session_id, message_id } = body
  const source = new EventSource(`${url}?${new URLSearchParams({ site_key, session_id, message_id })}`, reader)
  source.onmessage = reader.take
  return new Promise((resolve) => {
    source.onerror = () => source.readyState === source.CLOSED && resolve()
  })
}

function fetchAll(reader, url, body, fetchFrom, note) {
  const page = new AbortController()
  return fetchEventSource(url, {
    ...post(body), fetch: fetchFrom, signal: page.signal, openWhenHidden: true,
    onmessage(event) {
      reader.take(event)
      note(event)
      if (reader.meta) page.abort()
    },
  })
}

async function read(client, timeoutMs, { count, url, whole, body }) {
  const path = '/api/v1/chat/stream'
  const reader = new Reader()
  const late = new Promise((resolve) => setTimeout(resolve, timeoutMs).unref())
  await Promise.race([CLIENTS[client](reader, url + path, body, whole + path), late])
  return { count, text: reader.text, meta: reader.meta, connections: reader.connections }
}

async function main() {
  const { client, timeout_ms: timeoutMs, cuts } = JSON.parse(readFileSync(0, 'utf8'))
  const results = []
  const work = async () => {
    for (let cut = cuts.pop(); cut; cut = cuts.pop()) results.push(await read(client, timeoutMs, cut))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  process.stdout.write(JSON.stringify(results), () => process.exit())
}

await main()
