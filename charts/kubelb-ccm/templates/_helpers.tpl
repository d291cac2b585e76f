{{/* Name of the chart in labels. */}}
{{- define "kubelb-ccm.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the release's objects. Suffixes are appended, so it is limited to 40 of the 63 characters of a label. */}}
{{- define "kubelb-ccm.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | replace "." "-" | trunc 40 | trimAll "-" }}
{{- else if contains (include "kubelb-ccm.name" .) .Release.Name }}
{{- .Release.Name | replace "." "-" | trunc 40 | trimAll "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "kubelb-ccm.name" .) | replace "." "-" | trunc 40 | trimAll "-" }}
{{- end }}
{{- end }}

{{/* Selector labels of the Deployment. Kubernetes does not allow changing a selector, so these labels never change. */}}
{{- define "kubelb-ccm.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kubelb-ccm.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "kubelb-ccm.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "kubelb-ccm.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kubelb
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "kubelb-ccm.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "kubelb-ccm.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Not empty if the values name the Go project's image, as values files of its chart do. The image is then ignored. */}}
{{- define "kubelb-ccm.namesGoImage" -}}
{{- if regexMatch "^quay\\.io/kubermatic/kubelb-(manager|ccm)(-ee)?$" .Values.image.repository }}yes{{ end }}
{{- end }}

{{- define "kubelb-ccm.image" -}}
{{- $repository := .Values.image.repository }}
{{- $tag := default .Chart.AppVersion .Values.image.tag }}
{{- if include "kubelb-ccm.namesGoImage" . }}
{{- $repository = "ghcr.io/kubelb-dotnet/kubelb-ccm" }}
{{- $tag = .Chart.AppVersion }}
{{- end }}
{{- if hasPrefix "sha256:" $tag }}
{{- printf "%s@%s" $repository $tag }}
{{- else }}
{{- printf "%s:%s" $repository $tag }}
{{- end }}
{{- end }}

{{/* Warnings about values without effect, one per line. */}}
{{- define "kubelb-ccm.warnings" -}}
{{- if include "kubelb-ccm.namesGoImage" . }}
image.repository and image.tag name the Go project's image and are ignored; {{ include "kubelb-ccm.image" . }} is used.
{{- end }}
{{- if and (not .Values.kubelb.enableLeaderElection) (gt (int .Values.replicaCount) 1) }}
replicaCount {{ .Values.replicaCount }} has no effect without leader election: there is one replica.
{{- end }}
{{- if not .Values.kubelb.enableGatewayAPI }}
kubelb.enableGatewayAPI is false: nothing is served. Layer 4 and Ingress, which the Go project serves without it, are not supported.
{{- end }}
{{- if and .Values.grafana.dashboards.enabled (not (.Files.Glob "dashboards/*.json")) }}
grafana.dashboards.enabled has no effect: this version contains no dashboards.
{{- end }}
{{- if .Values.kubeRbacProxy }}
kubeRbacProxy has no effect: /metrics is served {{ if .Values.metrics.secure }}over TLS{{ else }}in plain HTTP{{ end }} without a proxy on port {{ .Values.metrics.port }}. metrics.secure enables TLS and authentication.
{{- end }}
{{- if .Values.kubelb.installGatewayAPICRDs }}
kubelb.installGatewayAPICRDs has no effect: install the Gateway API CRDs yourself.
{{- end }}
{{- if dig "enabled" false (.Values.kubelb.ingressConversion | default dict) }}
kubelb.ingressConversion has no effect: Ingresses are not converted.
{{- end }}
{{- if hasKey .Values.kubelb "disableIngressController" }}
{{- if not .Values.kubelb.disableIngressController }}
kubelb.disableIngressController has no effect: Ingresses are not supported.
{{- end }}
{{- end }}
{{- if hasKey .Values.kubelb "useLoadBalancerClass" }}
kubelb.useLoadBalancerClass has no effect: Services of type LoadBalancer are not supported.
{{- end }}
{{- end }}

{{/* Helm may parse a number in a values file as a float. */}}
{{- define "kubelb-ccm.logLevel" -}}
{{- if kindIs "string" .Values.kubelb.logLevel }}{{ .Values.kubelb.logLevel }}{{ else }}{{ int64 .Values.kubelb.logLevel }}{{ end }}
{{- end }}
