// The two forms of the discovery protocol, as a client speaks them. Both give each response as
// {type, resources: [Any], removed: [name], names: [name], all, nonce, version}, with `all` where what is not in it is gone.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
import { createRequire } from 'node:module';
import { published } from './published.mjs';

const require = createRequire(import.meta.url);
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const TYPES = 'type.googleapis.com/envoy.config.';
export const CLUSTER = `${TYPES}cluster.v3.Cluster`;
export const ENDPOINTS = `${TYPES}endpoint.v3.ClusterLoadAssignment`;
export const LISTENER = `${TYPES}listener.v3.Listener`;

/**
 * A client of Envoy's service; responses are bytes.
 * @param tls Authority, certificate and key (ca, cert, key); undefined for plain text.
 */
export function connect(address, serverName, tls) {
  const definition = loader.loadSync('envoy/service/discovery/v3/ads.proto', { keepCase: true, includeDirs: published });
  const methods = Object.entries(definition['envoy.service.discovery.v3.AggregatedDiscoveryService'])
    .map(([name, method]) => [name, { ...method, responseDeserialize: (bytes) => bytes }]);
  const Client = grpc.makeGenericClientConstructor(Object.fromEntries(methods), 'AggregatedDiscoveryService');
  return new Client(address, tls ? grpc.credentials.createSsl(tls.ca, tls.key, tls.cert) : grpc.credentials.createInsecure(), {
    ...(tls && { 'grpc.ssl_target_name_override': serverName, 'grpc.default_authority': serverName }),
    'grpc.max_receive_message_length': -1,
  });
}

/** State of the world: a request names all that is wanted; none is all, for clusters and listeners. */
export class StateOfTheWorld {
  static message = 'envoy.service.discovery.v3.DiscoveryResponse';

  #call;
  #node;
  #names = new Map();
  #last = new Map();

  constructor(client, node) {
    this.#call = client.StreamAggregatedResources();
    this.#node = { id: node };
  }

  get call() {
    return this.#call;
  }

  subscribe(type, names = []) {
    this.#names.set(type, names);
    this.#send(type);
  }

  read(response) {
    const read = { type: response.type_url, resources: response.resources, removed: [], all: response.type_url !== ENDPOINTS, nonce: response.nonce, version: response.version_info };
    this.#last.set(read.type, { ...this.#last.get(read.type), nonce: read.nonce });
    return read;
  }

  answer(read, error) {
    if (!error) {
      this.#last.set(read.type, { nonce: read.nonce, version: read.version });
    }
    this.#send(read.type, error);
  }

  #send(type, error) {
    const { nonce = '', version = '' } = this.#last.get(type) ?? {};
    this.#call.write({
      node: this.#node, type_url: type, resource_names: this.#names.get(type), response_nonce: nonce, version_info: version,
      ...(error && { error_detail: { code: 13, message: error } }),
    });
  }
}

/** Incremental: a request names what is wanted from now on and what is not any more. */
export class Incremental {
  static message = 'envoy.service.discovery.v3.DeltaDiscoveryResponse';

  #call;
  #node;
  #names = new Map();

  constructor(client, node) {
    this.#call = client.DeltaAggregatedResources();
    this.#node = { id: node };
  }

  get call() {
    return this.#call;
  }

  subscribe(type, names = ['*']) {
    const before = this.#names.get(type) ?? [];
    this.#names.set(type, names);
    this.#call.write({
      node: this.#node, type_url: type,
      resource_names_subscribe: names.filter((name) => !before.includes(name)),
      resource_names_unsubscribe: before.filter((name) => !names.includes(name)),
    });
  }

  read(response) {
    return {
      type: response.type_url, resources: response.resources.map((r) => r.resource), names: response.resources.map((r) => r.name),
      removed: response.removed_resources, all: false, nonce: response.nonce, version: response.system_version_info,
    };
  }

  answer(read, error) {
    this.#call.write({ node: this.#node, type_url: read.type, response_nonce: read.nonce, ...(error && { error_detail: { code: 13, message: error } }) });
  }
}
