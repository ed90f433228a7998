import { badValue, type EngineError, notSupported } from "../engine-error.ts";
import { collationLocales } from "./collation-locales.ts";

/** The fields of a collation (manual, "Collation"), read. */
export interface CollationSettings {
  readonly locale: string;
  readonly caseLevel: boolean;
  /** Undefined: as the locale has it. */
  readonly caseFirst: "off" | "upper" | "lower" | undefined;
  readonly strength: number;
  readonly numericOrdering: boolean;
  readonly alternate: "non-ignorable" | "shifted" | undefined;
  readonly maxVariable: "punct" | "space" | undefined;
  readonly normalization: boolean;
  readonly backwards: boolean | undefined;
}

/** How texts compare, and what ICU made of the options that were left open. */
export interface TextOrder {
  readonly compare: (one: string, other: string) => number;
  readonly resolved: Intl.ResolvedCollatorOptions;
}

/** Suffixes of MongoDB's locales (manual, "Collation Locales and Default Parameters") by what Unicode calls them. */
const unicodeNames: Readonly<Record<string, string>> = {
  phonebook: "phonebk",
  traditional: "trad",
  dictionary: "dict",
  gb2312han: "gb2312",
};

/** Locales whose order is that of the root of Unicode's data (CLDR), so that backwards accents alone make Canadian French of it. */
const rootLocales: ReadonlySet<string> = new Set("de de_AT en en_US fr ga id it lb ms nl pt sw zu".split(" "));

/**
 * The order that the settings ask for. `Intl.Collator` has a level of case only with the first strength; with others it stands between accents and variants, and so it
 * is asked for the levels one after the other. Throws 2 BadValue for an unknown locale and 238 for what `Intl.Collator` cannot give.
 */
export function orderOf(settings: CollationSettings): TextOrder {
  const { strength, caseLevel } = settings;
  if (strength === 4 && settings.locale.startsWith("ja")) throw unsupported("strength 4 of Japanese");
  const full = collatorOf(
    settings,
    strength === 1 ? (caseLevel ? "case" : "base") : strength === 2 ? "accent" : "variant",
  );
  const resolved = full.resolvedOptions();
  if (!caseLevel || strength === 1) return { compare: full.compare, resolved };
  const [accents, cases] = [collatorOf(settings, "accent"), collatorOf(settings, "case")];
  return {
    compare: (one, other) => accents.compare(one, other) || cases.compare(one, other) || full.compare(one, other),
    resolved,
  };
}

function collatorOf(settings: CollationSettings, sensitivity: "base" | "case" | "accent" | "variant"): Intl.Collator {
  const { strength, alternate, caseFirst } = settings;
  const collator = new Intl.Collator(unicodeLocale(localeWithAccents(settings)), {
    usage: "sort",
    sensitivity,
    numeric: settings.numericOrdering,
    ...(caseFirst === undefined ? {} : { caseFirst: caseFirst === "off" ? "false" : caseFirst }),
    ...(alternate === undefined ? {} : { ignorePunctuation: alternate === "shifted" }),
  });
  if (!collator.resolvedOptions().ignorePunctuation) return collator;
  if (strength > 3) throw unsupported(`alternate "shifted" with strength ${strength}`);
  if (settings.maxVariable === "space") throw unsupported('maxVariable "space" with alternate "shifted"');
  return collator;
}

/** The locale that compares accents from the end the asked for way. The first strength has none to compare. */
function localeWithAccents({ locale, backwards, strength }: CollationSettings): string {
  if (strength === 1 || backwards === undefined || backwards === hasBackwardsAccents(locale)) return locale;
  if (!backwards) return "fr";
  unicodeLocale(locale);
  if (!rootLocales.has(locale)) throw unsupported(`backwards: true for the locale ${locale}`);
  return "fr_CA";
}

/** The locale as Unicode writes it: `de_AT@collation=phonebook` is `de-AT-u-co-phonebk`. Throws 2 BadValue for what ICU does not know. */
function unicodeLocale(locale: string): string {
  const [base = "", suffix, more] = locale.split("@collation=");
  const kind = suffix === undefined ? undefined : (unicodeNames[suffix] ?? suffix);
  const tag = base.replaceAll("_", "-") + (kind === undefined ? "" : `-u-co-${kind}`);
  try {
    if (more !== undefined || !collationLocales.has(base) || Intl.Collator.supportedLocalesOf(tag).length === 0)
      throw new RangeError(tag);
    if (kind !== undefined && new Intl.Collator(tag).resolvedOptions().collation !== kind) throw new RangeError(tag);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw badValue(`Field 'locale' is invalid in: { locale: ${JSON.stringify(locale)} }`);
  }
  return tag;
}

/** Canadian French compares accents from the end, which is a rule of its locale in ICU. */
export function hasBackwardsAccents(locale: string): boolean {
  return locale.replace("-", "_").startsWith("fr_CA");
}

function unsupported(what: string): EngineError {
  return notSupported(`the collation option ${what}`);
}
