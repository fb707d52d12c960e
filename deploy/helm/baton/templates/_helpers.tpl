{{- define "baton.labels" -}}
app.kubernetes.io/name: baton
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}
{{- define "baton.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end -}}
{{- /* Helm reads numbers as floating-point ones, and prints large ones as 1.234567e+06. JSON keeps their figures. */ -}}
{{- define "baton.text" -}}
{{ ternary (toJson .) (toString .) (kindIs "float64" .) }}
{{- end -}}
