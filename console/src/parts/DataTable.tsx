import {
  type CellData,
  type ColumnDef,
  createColumnHelper,
  createSortedRowModel,
  type RowData,
  rowSortingFeature,
  type SortingState,
  sortFn_alphanumeric,
  sortFn_basic,
  tableFeatures,
  useTable,
} from '@tanstack/react-table'
import { useState } from 'react'

const features = tableFeatures({
  rowSortingFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { basic: sortFn_basic, alphanumeric: sortFn_alphanumeric },
})

type Features = typeof features
export type Columns<T extends RowData> = ColumnDef<Features, T, CellData>[]

export function columnsOf<T extends RowData>() {
  return createColumnHelper<Features, T>()
}

interface Props<T extends RowData> {
  caption: string
  columns: Columns<T>
  rows: T[]
  sort?: SortingState
  /** Ids of columns of numbers: set to the right. */
  numbers?: readonly string[]
}

const ARIA_SORT = { asc: 'ascending', desc: 'descending' } as const
const NUMBERS: readonly string[] = []
const UNSORTED: SortingState = []

/** A small table that is sorted by a click on a column's head. */
export function DataTable<T extends RowData>({ caption, columns, rows, sort = UNSORTED, numbers = NUMBERS }: Props<T>) {
  const [sorting, setSorting] = useState<SortingState>(sort)
  const table = useTable({ features, columns, data: rows, state: { sorting }, onSortingChange: setSorting })
  return (
    <table className="data">
      <caption className="unseen">{caption}</caption>
      <thead>
        {table.getHeaderGroups().map((group) => (
          <tr key={group.id}>
            {group.headers.map((header) => {
              const sorted = header.column.getIsSorted()
              return (
                <th
                  key={header.id}
                  scope="col"
                  className={numbers.includes(header.column.id) ? 'number' : undefined}
                  aria-sort={sorted ? ARIA_SORT[sorted] : undefined}
                >
                  {header.column.getCanSort() ? (
                    <button type="button" className="sort" onClick={header.column.getToggleSortingHandler()}>
                      <table.FlexRender header={header} />
                      <span aria-hidden="true">{sorted === 'asc' ? '↑' : sorted === 'desc' ? '↓' : ''}</span>
                    </button>
                  ) : (
                    <table.FlexRender header={header} />
                  )}
                </th>
              )
            })}
          </tr>
        ))}
      </thead>
      <tbody>
        {table.getRowModel().rows.map((row) => (
          <tr key={row.id}>
            {row.getAllCells().map((cell) => (
              <td key={cell.id} className={numbers.includes(cell.column.id) ? 'number' : undefined}>
                <table.FlexRender cell={cell} />
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}
