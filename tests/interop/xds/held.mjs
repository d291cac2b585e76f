// What a client of the discovery service has, as responses come.
import { CLUSTER, ENDPOINTS, LISTENER } from './ads-streams.mjs';

/** Short names of the types. */
export const kinds = { [CLUSTER]: 'cluster', [ENDPOINTS]: 'endpoints', [LISTENER]: 'listener' };

const nameOf = (resource) => resource.name || resource.cluster_name;

export class Held {
  #resources = new Map(Object.keys(kinds).map((type) => [type, new Map()]));
  #decode;

  /** @param decode Makes a message of a google.protobuf.Any. */
  constructor(decode) {
    this.#decode = decode;
  }

  /** Takes a response as ads-streams.mjs reads it, and returns what is wrong with it. */
  take(read) {
    const resources = this.#resources.get(read.type);
    const got = read.resources.map(this.#decode);
    const wrong = [
      ...read.resources.filter((any) => any.type_url !== read.type).map((any) => `${any.type_url} in a response of ${read.type}`),
      ...(read.names ?? []).flatMap((name, i) => (name === nameOf(got[i]) ? [] : [`the resource ${name} calls itself ${nameOf(got[i])}`])),
    ];
    if (read.all) {
      resources.clear();
    }
    got.forEach((resource) => resources.set(nameOf(resource), resource));
    read.removed.forEach((name) => resources.delete(name));
    return [...wrong, ...this.#dangling()];
  }

  /** Names of the endpoints that the clusters ask for. */
  get wanted() {
    const eds = this.#of(CLUSTER).filter((cluster) => discovery(cluster) === 'EDS');
    return [...new Set(eds.map((c) => c.eds_cluster_config.service_name || c.name))].sort();
  }

  /** How many of the endpoints that the clusters ask for are not there. */
  get missing() {
    return this.wanted.filter((name) => !this.#resources.get(ENDPOINTS).has(name)).length;
  }

  /** Forgets endpoints that no cluster asks for. */
  forgetEndpoints() {
    const [endpoints, wanted] = [this.#resources.get(ENDPOINTS), this.wanted];
    [...endpoints.keys()].filter((name) => !wanted.includes(name)).forEach((name) => endpoints.delete(name));
  }

  /** Counts, for a line of output. */
  describe() {
    const assignments = [...this.#of(ENDPOINTS), ...this.#of(CLUSTER).map((c) => c.load_assignment).filter(Boolean)];
    return {
      held: Object.fromEntries([...this.#resources].map(([type, resources]) => [kinds[type], resources.size])),
      discovery: this.#of(CLUSTER).map(discovery).reduce((all, value) => ({ ...all, [value]: (all[value] ?? 0) + 1 }), {}),
      missing: this.missing,
      addresses: assignments.flatMap((a) => a.endpoints).flatMap((l) => l.lb_endpoints).length,
    };
  }

  #of(type) {
    return [...this.#resources.get(type).values()];
  }

  // Make before break: no listener may send to a cluster that is not there yet, or not any more.
  #dangling() {
    return this.#of(LISTENER).flatMap((listener) => this.#clustersOf(listener)
      .filter((cluster) => !this.#resources.get(CLUSTER).has(cluster))
      .map((cluster) => `listener ${listener.name} sends to ${cluster}, which is not there`));
  }

  #clustersOf(listener) {
    const filters = listener.filter_chains.flatMap((chain) => chain.filters).map((filter) => this.#decode(filter.typed_config));
    const routes = filters.flatMap((f) => f.route_config?.virtual_hosts ?? []).flatMap((host) => host.routes).map((route) => route.route?.cluster);
    return [...filters.map((f) => f.cluster), ...routes].filter(Boolean);
  }
}

const discovery = (cluster) => cluster.$type.lookupEnum('DiscoveryType').valuesById[cluster.type];
