namespace KubeLB.EndToEnd.Support;

/// <summary>The documentation's manifests.</summary>
public static class Documents
{
    public const string Gateway = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: Gateway
        metadata:
          name: my-gateway
          namespace: default
        spec:
          gatewayClassName: kubelb
          listeners:
            - name: http
              protocol: HTTP
              port: 80
              allowedRoutes:
                namespaces:
                  from: All
        """;

    public const string Backend = """
        apiVersion: v1
        kind: Service
        metadata:
          name: api-backend
          namespace: default
        spec:
          selector:
            app: api
          ports:
            - port: 8080
              targetPort: 8080
        """;

    public const string Deployment = """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: api
          namespace: default
        spec:
          replicas: 2
          selector:
            matchLabels:
              app: api
          template:
            metadata:
              labels:
                app: api
            spec:
              containers:
                - name: api
                  image: your-api:latest
                  ports:
                    - containerPort: 8080
        """;

    public const string Route = """
        apiVersion: gateway.networking.k8s.io/v1
        kind: HTTPRoute
        metadata:
          name: api-route
          namespace: default
        spec:
          parentRefs:
            - name: my-gateway
          hostnames:
            - "api.example.com"
          rules:
            - backendRefs:
                - name: api-backend
                  port: 8080
        """;
}
