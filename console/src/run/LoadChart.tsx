import { AxisBottom } from '@visx/axis'
import { scaleLinear } from '@visx/scale'
import { AreaClosed, Bar, LinePath } from '@visx/shape'
import type { Timeline } from '../api/types'
import { count } from '../lib/format'
import { useBrush } from '../lib/brush'
import { useWidth } from '../lib/size'
import { tickText, timeTicks } from '../lib/ticks'
import type { Span } from './PhaseBar'

const HEIGHT = 84
const AXIS = 22
const TOP = 18
const TICK_PX = 90

interface Point {
  at: number
  running: number
  queued: number
}

/** Buckets as points in their middles, and one at each end. */
function pointsOf({ start, end, bucket_s, running, queued }: Timeline): Point[] {
  const points = running.map((n, bucket) => ({ at: start + (bucket + 0.5) * bucket_s, running: n, queued: queued[bucket] ?? 0 }))
  const [first, last] = [points[0], points.at(-1)]
  return first && last ? [{ ...first, at: start }, ...points, { ...last, at: end }] : []
}

interface Props extends Span {
  timeline: Timeline | undefined
  /** Of the run; marks on the axis count from there. */
  begin: number
  /** When the run was recovered last, if it was. */
  recovered: number | null
  /** Called with a stretch that was dragged over, in seconds from the begin of the run. */
  zoomTo: (from: number, to: number) => void
}

/** Where the latest generation of a run begins. */
function Recovered({ at }: { at: number }) {
  return (
    <line className="recovered" x1={at} x2={at} y1={TOP - 4} y2={HEIGHT - AXIS}>
      <title>The run was recovered here</title>
    </line>
  )
}

/** How many actions ran and waited, on the time of the lines below. Each has a scale of its own: far more wait than run. */
export function LoadChart({ timeline, begin, recovered, start, end, zoomTo }: Props) {
  const [box, width] = useWidth<HTMLDivElement>()
  const points = timeline ? pointsOf(timeline) : []
  const brush = useBrush((from, to) => zoomTo(x.invert(from), x.invert(to)))
  const most = (key: 'running' | 'queued') => points.reduce((top, point) => Math.max(top, point[key]), 0)
  const [mostRunning, mostQueued] = [most('running'), most('queued')]
  const length = Math.max(end - start, 1e-3)
  const x = scaleLinear({ domain: [start - begin, start - begin + length], range: [0, width] })
  const y = (top: number) => scaleLinear({ domain: [0, Math.max(1, top)], range: [HEIGHT - AXIS, TOP] })
  const [ofRunning, ofQueued] = [y(mostRunning), y(mostQueued)]
  const failed = timeline?.failed.map((n, bucket) => ({ n, at: timeline.start - begin + (bucket + 0.5) * timeline.bucket_s })).filter(({ n }) => n) ?? []
  return (
    <div ref={box} className="load" title="Drag over a stretch of time to zoom in" {...brush.handlers}>
      {width > 0 && (
        <svg width={width} height={HEIGHT} role="img" aria-label={`At most ${count(mostRunning)} ran and ${count(mostQueued)} waited at the same time`}>
          <AreaClosed data={points} className="area is-running" x={({ at }) => x(at - begin)} y={({ running }) => ofRunning(running)} yScale={ofRunning} />
          {mostQueued > 0 && (
            <LinePath data={points} className="load-line is-queued" x={({ at }) => x(at - begin)} y={({ queued }) => ofQueued(queued)} />
          )}
          {recovered !== null && <Recovered at={x(recovered - begin)} />}
          {brush.range && <rect className="brush" x={brush.range[0]} width={brush.range[1] - brush.range[0]} y={TOP} height={HEIGHT - AXIS - TOP} />}
          {failed.map(({ n, at }) => (
            <Bar key={at} className="fill is-failed" x={x(at) - 1.5} y={HEIGHT - AXIS - 6} width={3} height={6}>
              <title>{`${count(n)} failed`}</title>
            </Bar>
          ))}
          {points.length > 0 && (
            <text className="chart-note" x={0} y={12}>
              <tspan className="text is-running">■ Running, max {count(mostRunning)}</tspan>
              {mostQueued > 0 && (
                <tspan className="text is-queued" dx={12}>
                  ┄ Queued, max {count(mostQueued)}
                </tspan>
              )}
              {failed.length > 0 && (
                <tspan className="text is-failed" dx={12}>
                  ▮ Failed
                </tspan>
              )}
            </text>
          )}
          <AxisBottom
            top={HEIGHT - AXIS}
            scale={x}
            tickValues={timeTicks(start - begin, length, Math.max(2, Math.floor(width / TICK_PX)))}
            tickFormat={(value) => tickText(Number(value))}
            tickLength={4}
            axisClassName="axis"
            tickLabelProps={(value) => {
              const at = x(Number(value))
              return { className: 'axis-text', textAnchor: at < 10 ? 'start' : at > width - 24 ? 'end' : 'middle' }
            }}
          />
        </svg>
      )}
    </div>
  )
}
