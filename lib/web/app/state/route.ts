import { computed, signal } from '@preact/signals';

/** Where the page is. All of it is in the address, so that a link leads back to it. */
export interface Route {
  readonly page: string;
  /** The page's subject, such as a handle; empty for a list. */
  readonly id: string;
  readonly query: URLSearchParams;
}

/** Where the page is now. */
export const route = signal<Route>(read());

/** The chosen job server, if there are several. */
export const server = computed(() => route.value.query.get('server') ?? undefined);

addEventListener('hashchange', () => (route.value = read()));

/** The address of a page, with the same job server as now. */
export function linkTo(page: string, id = '', query: Readonly<Record<string, string | undefined>> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries({ ...query, server: server.value })) {
    if (value !== undefined && value !== '') search.set(name, value);
  }
  const text = search.toString();
  return `#/${page}${id === '' ? '' : `/${encodeURIComponent(id)}`}${text === '' ? '' : `?${text}`}`;
}

export function go(link: string): void {
  location.hash = link;
}

/** Changes the query of this page without a new entry for the browser's Back. */
export function setQuery(changes: Readonly<Record<string, string | undefined>>): void {
  const { page, id, query } = route.value;
  const now = { ...Object.fromEntries(query), ...changes };
  history.replaceState(null, '', linkTo(page, id, now));
  route.value = read();
}

function read(): Route {
  const [path = '', ...search] = location.hash.replace(/^#\/?/, '').split('?');
  const [page = '', id = ''] = path.split('/');
  return { page: page === '' ? 'functions' : page, id: decoded(id), query: new URLSearchParams(search.join('?')) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
