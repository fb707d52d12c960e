/**
 * Compares GraphQL requests and answers with GitHub's own schema (`@octokit/graphql-schema`).
 *
 * VG1 An operation that the schema does not allow is a mismatch. A refusal like GitHub's, with errors and no data, is an
 *     exception.
 * VG2 The answer has exactly the selected fields. A field is null only if the schema allows it, and enums have their values.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  buildASTSchema,
  type DocumentNode,
  type FragmentDefinitionNode,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLSchema,
  getNamedType,
  getVariableValues,
  isAbstractType,
  isEnumType,
  isListType,
  isNonNullType,
  isObjectType,
  isScalarType,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  validate,
} from "graphql";

const schemaPath = join(import.meta.dirname, "../../node_modules/@octokit/graphql-schema/schema.graphql");
let known: GraphQLSchema | null = null;

/** Built at the first use, because it has more than 1 MB. */
function githubSchema(): GraphQLSchema {
  if (known === null) {
    known = buildASTSchema(parse(readFileSync(schemaPath, "utf8")), { assumeValid: true });
  }
  return known;
}

/** The problems of a document and its variables. Empty: GitHub would accept them. */
export function documentProblems(query: string, variables: Record<string, unknown>): string[] {
  const found = read(query);
  if ("problem" in found) return [found.problem];
  const schema = githubSchema();
  const errors = validate(schema, found.document);
  if (errors.length > 0) return errors.map(({ message }) => message);
  const { operation } = found;
  const given = getVariableValues(schema, operation.variableDefinitions ?? [], variables);
  const unknown = Object.keys(variables).filter(
    (name) => !(operation.variableDefinitions ?? []).some(({ variable }) => variable.name.value === name),
  );
  return [
    ...(given.errors ?? []).map(({ message }) => message),
    ...unknown.map((name) => `The variable "$${name}" is given and not declared.`),
  ];
}

interface Read {
  document: DocumentNode;
  operation: OperationDefinitionNode;
}

function read(query: string): Read | { problem: string } {
  try {
    const document = parse(query);
    const operations = document.definitions.filter((one) => one.kind === Kind.OPERATION_DEFINITION);
    const [operation] = operations;
    if (operation === undefined || operations.length > 1) return { problem: "The document is not one operation." };
    return { document, operation };
  } catch (thrown) {
    return { problem: thrown instanceof Error ? thrown.message : String(thrown) };
  }
}

/** Every difference of a `POST /graphql` exchange from GitHub's schema. */
export function graphqlMismatches(body: unknown, answer: unknown): string[] {
  const { query, variables = {} } = (body ?? {}) as { query?: unknown; variables?: Record<string, unknown> };
  if (typeof query !== "string") return ["request: no `query`"];
  const wrong = documentProblems(query, variables);
  const { data, errors, ...more } = (answer ?? {}) as { data?: Record<string, unknown> | null; errors?: unknown };
  const problems = Object.keys(more).map((key) => `answer has the unknown key ${key}`);
  problems.push(...errorProblems(errors));
  if (wrong.length > 0) {
    const refused = Array.isArray(errors) && errors.length > 0 && data == null;
    return refused ? problems : [...problems, ...wrong.map((message) => `request: ${message}`)];
  }
  if (data == null) return errors === undefined ? [...problems, "answer has neither data nor errors"] : problems;
  const { document, operation } = read(query) as Read;
  const root = githubSchema().getRootType(operation.operation);
  if (!root) return [...problems, `request: there are no operations of the kind ${operation.operation}`];
  const names = new Map(
    document.definitions
      .filter((one): one is FragmentDefinitionNode => one.kind === Kind.FRAGMENT_DEFINITION)
      .map((one) => [one.name.value, one]),
  );
  return [...problems, ...ofObject({ type: root, selection: operation.selectionSet, names }, data, "data")];
}

function errorProblems(errors: unknown): string[] {
  if (errors === undefined) return [];
  if (!Array.isArray(errors) || errors.length === 0) return ["answer: `errors` is not a filled list"];
  return (errors as { message?: unknown }[])
    .filter(({ message }) => typeof message !== "string" || message === "")
    .map(() => "answer: an error without a message");
}

const unasked = "was not asked for";

interface Wanted {
  type: GraphQLObjectType;
  selection: SelectionSetNode;
  names: ReadonlyMap<string, FragmentDefinitionNode>;
}

interface Field {
  name: string;
  selections: SelectionSetNode[];
}

/** By response key. */
function fieldsOf({ type, selection, names }: Wanted, fields = new Map<string, Field>()): Map<string, Field> {
  const schema = githubSchema();
  for (const node of selection.selections) {
    if (node.kind === Kind.FIELD) {
      const key = node.alias?.value ?? node.name.value;
      const field = fields.get(key) ?? { name: node.name.value, selections: [] };
      if (node.selectionSet !== undefined) field.selections.push(node.selectionSet);
      fields.set(key, field);
      continue;
    }
    const fragment = node.kind === Kind.INLINE_FRAGMENT ? node : names.get(node.name.value);
    const condition = fragment?.typeCondition?.name.value;
    const on = condition === undefined ? type : schema.getType(condition);
    const fits = on === type || (on !== undefined && isAbstractType(on) && schema.isSubType(on, type));
    if (fragment !== undefined && fits) fieldsOf({ type, selection: fragment.selectionSet, names }, fields);
  }
  return fields;
}

function ofObject(wanted: Wanted, value: unknown, at: string): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${at} is not an object`];
  const fields = fieldsOf(wanted);
  const given = value as Record<string, unknown>;
  const problems = Object.keys(given)
    .filter((key) => !fields.has(key))
    .map((key) => `${at}.${key} ${unasked}`);
  for (const [key, { name, selections }] of fields) {
    if (!(key in given)) {
      problems.push(`${at}.${key} is missing`);
      continue;
    }
    if (name === "__typename") {
      if (given[key] !== wanted.type.name) problems.push(`${at}.${key} is not ${wanted.type.name}`);
      continue;
    }
    const type = wanted.type.getFields()[name]?.type;
    if (type === undefined) problems.push(`${at}.${key}: ${wanted.type.name} has no field ${name}`);
    else problems.push(...ofValue({ type, selections, names: wanted.names }, given[key], `${at}.${key}`));
  }
  return problems;
}

interface WantedValue {
  type: GraphQLOutputType;
  selections: readonly SelectionSetNode[];
  names: Wanted["names"];
}

function ofValue({ type, selections, names }: WantedValue, value: unknown, at: string): string[] {
  if (isNonNullType(type))
    return value === null ? [`${at} is null`] : ofValue({ type: type.ofType, selections, names }, value, at);
  if (value === null) return [];
  if (isListType(type)) {
    if (!Array.isArray(value)) return [`${at} is not a list`];
    return value.flatMap((one, index) => ofValue({ type: type.ofType, selections, names }, one, `${at}[${index}]`));
  }
  if (isEnumType(type))
    return typeof value === "string" && type.getValue(value) !== undefined
      ? []
      : [`${at} is ${JSON.stringify(value)}, which is no ${type.name}`];
  if (isScalarType(type)) return ofScalar(type.name, value, at);
  const selection: SelectionSetNode = {
    kind: Kind.SELECTION_SET,
    selections: selections.flatMap((one) => one.selections),
  };
  if (isObjectType(type)) return ofObject({ type, selection, names }, value, at);
  // The first possible type that matches. Otherwise, the problems of the type that the selection names.
  const named = getNamedType(type);
  const possible = isAbstractType(named) ? githubSchema().getPossibleTypes(named) : [];
  const tries = possible.map((one) => ofObject({ type: one, selection, names }, value, at));
  const strange = (problems: string[]): number => problems.filter((one) => one.endsWith(unasked)).length;
  return tries.toSorted((a, b) => a.length - b.length || strange(a) - strange(b))[0] ?? [`${at}: no type fits`];
}

/** GitHub's own scalars that are more than a text. */
const forms: Record<string, RegExp> = {
  DateTime: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/,
  GitObjectID: /^[0-9a-f]{40}$/,
  URI: /^https?:\/\//,
};

function ofScalar(name: string, value: unknown, at: string): string[] {
  const fits =
    name === "Int"
      ? Number.isInteger(value)
      : name === "Float"
        ? typeof value === "number"
        : name === "Boolean"
          ? typeof value === "boolean"
          : typeof value === "string" && (forms[name]?.test(value) ?? true);
  return fits ? [] : [`${at} is ${JSON.stringify(value)}, which is no ${name}`];
}
