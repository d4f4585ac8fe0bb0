// The pages of /admin in the order of the menu. One more: an entry here, and its word in messages/.
import type { Component } from "svelte";
import type { Address } from "../../features/feeds-admin/address.svelte";
import Feeds from "../../features/feeds-admin/Feeds.svelte";
import Try from "../../features/feeds-admin/Try.svelte";
import type { Watch } from "../../features/feeds-admin/watch.svelte";
import { number } from "../../i18n/format";
import { m } from "../../i18n/paraglide/messages.js";

/** What every page is handed; it declares of it what it needs. */
export interface PageProps {
  /** Who looks and what they may, the server's clock, and whether anybody answers. */
  watch: Watch;
  address: Address;
  /** Why nothing is sent now; empty: it is. */
  dead: string;
}

export interface AdminPage {
  /** `?page=` of its address, and `page-` of its test id. */
  route: string;
  title: () => string;
  /** Who lacks it does not see the page in the menu. */
  right: string;
  /** `() => import("….svelte")`: a page comes when it is opened first. */
  load: () => Promise<{ default: Component<PageProps> }>;
  /** A figure beside the title. */
  count?: (watch: Watch) => string;
}

/** These two come with the screen: split they are 7 KB more. */
const here = (page: Component<PageProps>) => () =>
  Promise.resolve({ default: page });

const feeds: AdminPage = {
  route: "feeds",
  title: m.sources,
  right: "feed.read",
  load: here(Feeds),
  count: ({ lines }) => {
    const running = lines.filter((l) => l.stand !== "off");
    const fresh = running.filter((l) => l.stand === "ok");
    return `${number(fresh.length, 0)}/${number(running.length, 0)}`;
  },
};

export const PAGES: readonly AdminPage[] = [
  feeds,
  {
    route: "try",
    title: m.adm_page_try,
    right: "feed.write",
    load: here(Try),
  },
  {
    route: "rules",
    title: m.rul_rules,
    right: "rule.read",
    load: () => import("../../features/rules/Rules.svelte"),
  },
  {
    route: "keys",
    title: m.adm_keys,
    right: "key.write",
    load: () => import("../../features/keys/Keys.svelte"),
  },
  {
    route: "people",
    title: m.ppl_people,
    right: "person.read",
    load: () => import("../../features/people/People.svelte"),
  },
  {
    route: "changes",
    title: m.chg_changes,
    right: "change.approve",
    load: () => import("../../features/changes/Changes.svelte"),
  },
  {
    route: "devices",
    title: m.dev_devices,
    right: "device.write",
    load: () => import("../../features/devices/Devices.svelte"),
  },
  {
    route: "walls",
    title: m.wal_walls,
    right: "device.write",
    load: () => import("../../features/walls/Walls.svelte"),
  },
  {
    route: "privacy",
    title: m.prv_privacy,
    right: "privacy.read",
    load: () => import("../../features/privacy/Privacy.svelte"),
  },
  {
    route: "audit",
    title: m.aud_title,
    right: "audit.read",
    load: () => import("../../features/audit/Audit.svelte"),
  },
  {
    route: "contacts",
    title: m.con_book,
    right: "contact.write",
    load: () => import("../../features/contacts/Contacts.svelte"),
  },
];

/** The page of an address; one that is not known is the first. */
export const pageOf = (route: string): AdminPage =>
  PAGES.find((p) => p.route === route) ?? feeds;

/** The menu of whoever looks. Before it is known who that is, it is whole. */
export const menuOf = ({ me }: Watch): readonly AdminPage[] =>
  PAGES.filter((p) => me?.rights.includes(p.right) ?? true);
