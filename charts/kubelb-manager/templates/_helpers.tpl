{{/* Name of the chart in labels. */}}
{{- define "kubelb-manager.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* Name of the release's objects. Suffixes are appended, so it is limited to 40 of the 63 characters of a label. */}}
{{- define "kubelb-manager.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | replace "." "-" | trunc 40 | trimAll "-" }}
{{- else if contains (include "kubelb-manager.name" .) .Release.Name }}
{{- .Release.Name | replace "." "-" | trunc 40 | trimAll "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "kubelb-manager.name" .) | replace "." "-" | trunc 40 | trimAll "-" }}
{{- end }}
{{- end }}

{{/* Selector labels of the Deployment. Kubernetes does not allow changing a selector, so these labels never change. */}}
{{- define "kubelb-manager.selectorLabels" -}}
app.kubernetes.io/name: {{ include "kubelb-manager.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "kubelb-manager.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "kubelb-manager.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: kubelb
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{- define "kubelb-manager.serviceAccountName" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "kubelb-manager.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* Not empty if the values name the Go project's image, as values files of its chart do. The image is then ignored. */}}
{{- define "kubelb-manager.namesGoImage" -}}
{{- if regexMatch "^quay\\.io/kubermatic/kubelb-(manager|ccm)(-ee)?$" .Values.image.repository }}yes{{ end }}
{{- end }}

{{- define "kubelb-manager.image" -}}
{{- $repository := .Values.image.repository }}
{{- $tag := default .Chart.AppVersion .Values.image.tag }}
{{- if include "kubelb-manager.namesGoImage" . }}
{{- $repository = "ghcr.io/kubelb-dotnet/kubelb-manager" }}
{{- $tag = .Chart.AppVersion }}
{{- end }}
{{- if hasPrefix "sha256:" $tag }}
{{- printf "%s@%s" $repository $tag }}
{{- else }}
{{- printf "%s:%s" $repository $tag }}
{{- end }}
{{- end }}

{{/* Warnings about values without effect, one per line. */}}
{{- define "kubelb-manager.warnings" -}}
{{- if include "kubelb-manager.namesGoImage" . }}
image.repository and image.tag name the Go project's image and are ignored; {{ include "kubelb-manager.image" . }} is used.
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
{{- if dig "rbac" false (.Values.kkpintegration | default dict) }}
kkpintegration.rbac has no effect: no roles for KKP are created.
{{- end }}
{{- if .Values.volumes }}
volumes has no effect: use extraVolumes.
{{- end }}
{{- if .Values.volumeMounts }}
volumeMounts has no effect: use extraVolumeMounts.
{{- end }}
{{- if and .Values.kubelb.skipConfigGeneration (include "kubelb-manager.setsConfig" .) }}
{{ include "kubelb-manager.setsConfig" . }} has no effect while kubelb.skipConfigGeneration is true. Set it to false, or create the Config yourself.
{{- end }}
{{- end }}

{{/* The values of the Config that differ from the defaults, separated by commas. */}}
{{- define "kubelb-manager.setsConfig" -}}
{{- $names := list }}
{{- range $name := list "config" "propagatedAnnotations" "propagateAllAnnotations" "deniedAnnotations" }}
{{- if index $.Values.kubelb $name }}{{ $names = append $names (printf "kubelb.%s" $name) }}{{ end }}
{{- end }}
{{- $proxy := .Values.kubelb.envoyProxy }}
{{- range $name := list "image" "nodeSelector" "tolerations" "resources" "affinity" "overloadManager" "headerLimits" "useDaemonset" }}
{{- if index $proxy $name }}{{ $names = append $names (printf "kubelb.envoyProxy.%s" $name) }}{{ end }}
{{- end }}
{{- if ne (int $proxy.replicas) 2 }}{{ $names = append $names "kubelb.envoyProxy.replicas" }}{{ end }}
{{- if not $proxy.singlePodPerNode }}{{ $names = append $names "kubelb.envoyProxy.singlePodPerNode" }}{{ end }}
{{- if ne (toJson $proxy.gracefulShutdown) "{\"disabled\":false}" }}{{ $names = append $names "kubelb.envoyProxy.gracefulShutdown" }}{{ end }}
{{- if $proxy.podMonitor.enabled }}{{ $names = append $names "kubelb.envoyProxy.podMonitor" }}{{ end }}
{{- join ", " $names }}
{{- end }}

{{/* Helm may parse a number in a values file as a float. */}}
{{- define "kubelb-manager.logLevel" -}}
{{- if kindIs "string" .Values.kubelb.logLevel }}{{ .Values.kubelb.logLevel }}{{ else }}{{ int64 .Values.kubelb.logLevel }}{{ end }}
{{- end }}
