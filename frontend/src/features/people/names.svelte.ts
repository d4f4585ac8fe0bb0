// Names of what grants and records point at: agencies and areas of the profile, types of incidents, people by their subjects.
import { onMount } from "svelte";
import type { IncidentType } from "../../api/incidents";
import { fetchGrantable, fetchPeople, type Person } from "../../api/people";
import { agencyName } from "../../api/profile";
import { language } from "../../i18n/lang.svelte";
import { m } from "../../i18n/paraglide/messages.js";
import { Asked } from "../../stores/asked.svelte";
import type { Watch } from "../feeds-admin/watch.svelte";
import type { Names } from "./roles";

export class Known {
  types = $state.raw<readonly IncidentType[]>([]);
  people: Asked<Person[]>;
  #watch: Watch;

  /** Made while a component is. */
  constructor(watch: Watch) {
    this.#watch = watch;
    this.people = new Asked(fetchPeople);
    onMount(() => {
      void fetchGrantable().then((types) => {
        this.types = types;
      });
    });
  }

  get agencies(): { slug: string; name: string }[] {
    const profile = this.#watch.profile;
    if (!profile) return [];
    return profile.agencies
      .map(({ slug }) => ({
        slug,
        name: agencyName(profile, slug, language.current),
      }))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  get areas(): string[] {
    const features = this.#watch.profile?.areas.features ?? [];
    return features
      .filter((f) => f.properties.kind === "district")
      .map((f) => f.properties.name)
      .sort((a, b) => a.localeCompare(b));
  }

  typeName = (code: string): string =>
    this.types.find((t) => t.code === code)?.[language.current] ?? code;

  get names(): Names {
    const profile = this.#watch.profile;
    return {
      agency: (slug) =>
        profile ? agencyName(profile, slug, language.current) : slug,
      type: this.typeName,
      restricted: this.types.filter((t) => t.restricted).map((t) => t.code),
      zone: this.#watch.zone,
      now: this.#watch.when,
    };
  }

  /** Whose a subject is: "user:01J…" is a person, whoever has the admin token has none. */
  subject = (subject: string): string => {
    const id = subject.replace(/^user:/, "");
    const person = this.people.body?.find((p) => p.id === id);
    if (person) return person.name;
    if (subject === this.#watch.me?.subject) return this.#watch.me.name;
    if (subject.startsWith("token:")) return m.ppl_by_token();
    return subject.startsWith("house:") ? m.ppl_by_house() : subject;
  };
}
