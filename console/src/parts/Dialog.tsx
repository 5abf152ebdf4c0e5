import { type ReactNode, useEffect, useRef } from 'react'

interface Props {
  title: string
  children: ReactNode
  close: () => void
  footer?: ReactNode
  onSubmit?: () => void
}

/** A modal dialog: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, children, close, footer, onSubmit }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const shown = dialog.current
    shown?.showModal()
    return () => shown?.close()
  }, [])
  return (
    <dialog ref={dialog} aria-label={title} onCancel={close} onClick={(event) => event.target === dialog.current && close()}>
      <form
        method="dialog"
        onSubmit={(event) => {
          event.preventDefault()
          onSubmit?.()
        }}
      >
        <header>
          <h2>{title}</h2>
          <button type="button" className="quiet" aria-label="Close" onClick={close}>
            ✕
          </button>
        </header>
        <div className="dialog-body">{children}</div>
        {footer && <footer>{footer}</footer>}
      </form>
    </dialog>
  )
}
