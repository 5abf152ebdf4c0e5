import { type PointerEvent, useState } from 'react'

const LEAST_PX = 6

/** A stretch of an element that is dragged over, in pixels from its left edge. */
export function useBrush(done: (from: number, to: number) => void) {
  const [drag, setDrag] = useState<[number, number] | null>(null)
  const range: [number, number] | null = drag && [Math.min(...drag), Math.max(...drag)]
  const at = (event: PointerEvent<HTMLElement>) => event.clientX - event.currentTarget.getBoundingClientRect().left
  return {
    range,
    handlers: {
      onPointerDown(event: PointerEvent<HTMLElement>) {
        event.currentTarget.setPointerCapture(event.pointerId)
        setDrag([at(event), at(event)])
      },
      onPointerMove(event: PointerEvent<HTMLElement>) {
        if (drag) setDrag([drag[0], at(event)])
      },
      onPointerUp() {
        setDrag(null)
        if (range && range[1] - range[0] >= LEAST_PX) done(...range)
      },
    },
  }
}
