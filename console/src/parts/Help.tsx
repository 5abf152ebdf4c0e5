import { Dialog } from './Dialog'

const KEYS: readonly [string[], string][] = [
  [['j', '↓'], 'Next line'],
  [['k', '↑'], 'Line above'],
  [['→'], 'Unfold, or go to the first line inside'],
  [['←'], 'Fold, or go to the line that it belongs to'],
  [['Enter'], 'Open the line'],
  [['Esc'], 'Close the action'],
  [['Home', 'End'], 'First, last line'],
  [['PgUp', 'PgDn'], 'A screen up, down'],
  [['o'], 'Order: as called, slowest, failed'],
  [['/'], 'Filter'],
  [['?'], 'These keys'],
]

export function Help({ close }: { close: () => void }) {
  return (
    <Dialog title="Keys" close={close}>
      <table className="keys">
        <tbody>
          {KEYS.map(([keys, text]) => (
            <tr key={text}>
              <td>
                {keys.map((key) => (
                  <kbd key={key}>{key}</kbd>
                ))}
              </td>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </Dialog>
  )
}
