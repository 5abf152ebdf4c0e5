/** What `upwell profile --json` and `upwell get cost --json` print, as far as the page shows it. */

export interface Spread {
  p50: number
  p90: number
  p99: number
  max: number
  sum: number
}

export interface TaskProfile {
  task: string
  actions: number
  cached: number
  attempts: number
  failed: number
  measured: number
  runtime_s: Spread
  phases_s: Record<string, Spread>
  noticed_s: { count: number; mean: number | null; max: number | null }
  overhead_s: number
  overhead_ratio: number | null
  cold_starts: number
  usd: number
  cost_share: number
}

export interface Advice {
  kind: string
  task: string
  text: string
  saves: { wall_s: number; busy_s: number; usd: number }
  evidence: Record<string, number>
}

export interface Profile {
  run: string
  status: string
  wall_s: number
  busy_s: number
  usd: number
  tasks: TaskProfile[]
  critical_path: {
    length_s: number
    followed_s: number
    by_phase: { task: string; phase: string; length_s: number }[]
    steps: { action: string; task: string; phase: string; length_s: number }[]
    steps_left_out: number
  }
  advice: Advice[]
}

export interface TaskCost {
  actions: number
  attempts: number
  run_s: number
  control_usd: number
  compute_usd: number
  usd: number
}

export interface Cost {
  run: string
  backend: string
  region: string
  prices_of: string
  actions: number
  usd: number
  control_usd: number
  compute_usd: number
  run_usd: number
  view_usd: number
  control_usd_per_million_actions: number
  services: Record<string, number>
  tasks: Record<string, TaskCost>
  basis: Record<string, string>
}
