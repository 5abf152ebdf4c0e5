/** Whether a key belongs to a field or a dialog, and not to the page. */
export function isTyping(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey) return true
  const target = event.target
  return target instanceof HTMLElement && target.closest('input, select, textarea, dialog') !== null
}
