/** One request to the run API, and errors in words that a person understands. */

const BASE = '/api/v1'

export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
  ) {
    super(message)
  }
}

export function isNotFound(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404
}

export type Params = Record<string, string | number | string[] | null | undefined>

/** A path with its query; what is null, undefined or an empty list is left out. An empty text is kept. */
export function address(path: string, params: Params = {}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(params)) {
    if (value === null || value === undefined) continue
    for (const one of Array.isArray(value) ? value : [value]) query.append(name, String(one))
  }
  const text = query.toString()
  return BASE + path + (text ? `?${text}` : '')
}

export function runPath(run: string, ...rest: string[]): string {
  return ['/runs', run, ...rest].map((part, n) => (n ? encodeURIComponent(part) : part)).join('/')
}

export function taskPath(task: string, ...rest: string[]): string {
  return ['/tasks', ...[task, ...rest].map(encodeURIComponent)].join('/')
}

async function send(url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, init)
  } catch (cause) {
    if (init.signal?.aborted) throw cause
    throw new ApiError(0, 'unreachable', 'The console’s server does not answer. Is `upwell console` still running?')
  }
}

async function failure(answer: Response): Promise<ApiError> {
  try {
    const { error } = (await answer.json()) as { error: { code: string; message: string } }
    return new ApiError(answer.status, error.code, error.message)
  } catch {
    return new ApiError(answer.status, `HTTP ${answer.status}`, `The server answered ${answer.status} without a reason.`)
  }
}

export async function get<T>(path: string, params: Params = {}, signal?: AbortSignal): Promise<T> {
  const answer = await send(address(path, params), signal ? { signal } : {})
  if (!answer.ok) throw await failure(answer)
  return (await answer.json()) as T
}

/** As `get`, unless the server still has what is known here: then null, and nothing was sent but headers. */
export async function getIfChanged<T>(
  path: string,
  etag: string | undefined,
  signal: AbortSignal,
): Promise<{ etag: string | undefined; body: T } | null> {
  const headers: Record<string, string> = etag ? { 'If-None-Match': etag } : {}
  const answer = await send(address(path), { signal, headers, cache: 'no-store' })
  if (answer.status === 304) return null
  if (!answer.ok) throw await failure(answer)
  return { etag: answer.headers.get('ETag') ?? undefined, body: (await answer.json()) as T }
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  const token = document.querySelector<HTMLMetaElement>('meta[name="upwell-token"]')?.content ?? ''
  const answer = await send(address(path), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', 'X-Upwell-Token': token },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw await failure(answer)
  return (await answer.json()) as T
}
