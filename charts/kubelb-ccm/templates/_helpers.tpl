{{/* Name of the chart in labels. */}}
{{- define "kubelb-ccm.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the release's objects. Suffixes follow, so it is shorter than the 63 characters of a label. */}}
{{- define "kubelb-ccm.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | replace "." "-" | trunc 40 | trimAll "-" }}
{{- else if contains (include "kubelb-ccm.name" .) .Release.Name }}
{{- .Release.Name | replace "." "-" | trunc 40 | trimAll "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "kubelb-ccm.name" .) | replace "." "-" | trunc 40 | trimAll "-" }}
{{- end }}
{{- end }}

{{/* What the Deployment selects by: immutable in Kubernetes, so these two never change. */}}
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

{{/* Whether the values name the Go project's image: a values file of its chart does, and cannot mean that image here. */}}
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

{{/* What the values ask for that has no effect, one sentence per line. */}}
{{- define "kubelb-ccm.warnings" -}}
{{- if include "kubelb-ccm.namesGoImage" . }}
image.repository and image.tag name the Go project's image; {{ include "kubelb-ccm.image" . }} is used.
{{- end }}
{{- if and (not .Values.kubelb.enableLeaderElection) (gt (int .Values.replicaCount) 1) }}
replicaCount {{ .Values.replicaCount }} has no effect without leader election: there is one replica.
{{- end }}
{{- if not .Values.kubelb.enableGatewayAPI }}
kubelb.enableGatewayAPI is false: nothing is served. Layer 4 and Ingress, which the Go project serves without it, are not served here.
{{- end }}
{{- if and .Values.grafana.dashboards.enabled (not (.Files.Glob "dashboards/*.json")) }}
grafana.dashboards.enabled has no effect: this version has no dashboards.
{{- end }}
{{- if .Values.kubeRbacProxy }}
kubeRbacProxy has no effect: /metrics is served in plain HTTP, without a proxy, on port {{ .Values.metrics.port }}.
{{- end }}
{{- if .Values.kubelb.installGatewayAPICRDs }}
kubelb.installGatewayAPICRDs has no effect: install the definitions of Gateway API yourself.
{{- end }}
{{- if dig "enabled" false (.Values.kubelb.ingressConversion | default dict) }}
kubelb.ingressConversion has no effect: Ingresses are not converted.
{{- end }}
{{- if hasKey .Values.kubelb "disableIngressController" }}
{{- if not .Values.kubelb.disableIngressController }}
kubelb.disableIngressController is false, but Ingresses are not served.
{{- end }}
{{- end }}
{{- if hasKey .Values.kubelb "useLoadBalancerClass" }}
kubelb.useLoadBalancerClass has no effect: Services of type LoadBalancer are not served.
{{- end }}
{{- end }}

{{/* A number in a values file may be a float. */}}
{{- define "kubelb-ccm.logLevel" -}}
{{- if kindIs "string" .Values.kubelb.logLevel }}{{ .Values.kubelb.logLevel }}{{ else }}{{ int64 .Values.kubelb.logLevel }}{{ end }}
{{- end }}
