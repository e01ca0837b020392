// The keyboard shortcuts: one list for what they do, for the help page and for screen readers. All with Alt, by the key's place on the keyboard, so that
// they work with any layout and input method.
import type {TextKey} from '../texts/catalogue.ts';

export const shortcuts = [
  {name: 'accept', code: 'KeyA', key: 'A', text: 'help.accept'},
  {name: 'reject', code: 'KeyJ', key: 'J', text: 'help.reject'},
  {name: 'ready', code: 'KeyR', key: 'R', text: 'help.ready'},
  {name: 'not_ready', code: 'KeyN', key: 'N', text: 'help.not_ready'},
  {name: 'next', code: 'KeyO', key: 'O', text: 'help.next'},
  {name: 'previous', code: 'KeyI', key: 'I', text: 'help.previous'},
  {name: 'write', code: 'KeyU', key: 'U', text: 'help.write'},
  {name: 'hold', code: 'KeyH', key: 'H', text: 'help.hold'},
  {name: 'mute', code: 'KeyM', key: 'M', text: 'help.mute'},
  {name: 'hangup', code: 'KeyK', key: 'K', text: 'help.hangup'},
  {name: 'transfer', code: 'KeyT', key: 'T', text: 'help.transfer'},
  {name: 'wrap_up', code: 'KeyW', key: 'W', text: 'help.wrap_up'},
  {name: 'customer', code: 'KeyC', key: 'C', text: 'help.customer'},
  {name: 'view', code: 'KeyV', key: 'V', text: 'help.view'},
  {name: 'help', code: 'Slash', key: '/', text: 'help.help'},
] as const satisfies readonly {name: string; code: string; key: string; text: TextKey}[];

export type ShortcutName = (typeof shortcuts)[number]['name'];

export function shortcutLabel(name: ShortcutName): string {
  return `Alt+${shortcuts.find(each => each.name === name)?.key ?? ''}`;
}

export function shortcutOf(event: KeyboardEvent): ShortcutName | null {
  if (event.key === 'F1' && !event.altKey && !event.ctrlKey && !event.metaKey) return 'help';
  if (!event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return null;
  return shortcuts.find(each => each.code === event.code)?.name ?? null;
}
