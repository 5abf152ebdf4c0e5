import { AxisBottom } from '@visx/axis'
import { scaleBand, scaleLinear } from '@visx/scale'
import { Bar } from '@visx/shape'
import type { TaskProfile } from '../api/documents'
import { duration } from '../lib/format'
import { tickText, timeTicks } from '../lib/ticks'
import { useWidth } from '../lib/size'
import { waterfallOf } from './waterfall'

const ROW = 22
const LABEL = 80
const VALUE = 150
const AXIS = 26

/** Where an action of a task spends its time: medians one after the other, with p90 behind them. */
export function Waterfall({ task, longest_s }: { task: TaskProfile; longest_s?: number }) {
  const [box, width] = useWidth<HTMLDivElement>()
  const steps = waterfallOf(task)
  const height = steps.length * ROW
  const end = Math.max(longest_s ?? 0, ...steps.map(({ from, p90 }) => from + p90), 1e-6)
  const x = scaleLinear({ domain: [0, end], range: [LABEL, Math.max(width - VALUE, LABEL + 1)] })
  const y = scaleBand({ domain: steps.map(({ name }) => name), range: [0, height], padding: 0.25 })
  return (
    <div ref={box} className="waterfall" style={{ height: height + AXIS }}>
      {width > 0 && (
        <svg width={width} height={height + AXIS} role="img" aria-label={`Phases of ${task.task}`}>
          {steps.map(({ name, phase, text, from, p50, p90 }) => {
            const top = y(name) ?? 0
            const middle = top + y.bandwidth() / 2
            return (
              <g key={name}>
                <title>{`${name}: ${text}. Median ${duration(p50)}, p90 ${duration(p90)}`}</title>
                <line className="grid" x1={LABEL} x2={width} y1={top + ROW - 3} y2={top + ROW - 3} />
                <text className="chart-label" x={LABEL - 8} y={middle} textAnchor="end" dominantBaseline="central">
                  {name}
                </text>
                <Bar className={`phase is-${phase} is-faint`} x={x(from)} y={top} width={x(from + p90) - x(from)} height={y.bandwidth()} />
                <Bar className={`phase is-${phase}`} x={x(from)} y={top} width={Math.max(x(from + p50) - x(from), p50 ? 1 : 0)} height={y.bandwidth()} />
                <text className={`chart-label${p50 ? '' : ' is-muted'}`} x={width} y={middle} textAnchor="end" dominantBaseline="central">
                  {p50 || p90 ? `${duration(p50)} · p90 ${duration(p90)}` : '–'}
                </text>
              </g>
            )
          })}
          <AxisBottom
            top={height}
            scale={x}
            tickValues={timeTicks(0, end, Math.max(2, Math.floor(width / 140)))}
            tickFormat={(value) => tickText(Number(value))}
            tickLength={4}
            axisClassName="axis"
            tickLabelProps={() => ({ className: 'axis-text', textAnchor: 'middle' })}
          />
        </svg>
      )}
    </div>
  )
}
