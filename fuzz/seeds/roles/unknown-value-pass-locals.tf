bvariable "region" {
  default = "eu"
}

locals {
  mode = "strict"
  recording = {
    default = local.mode
  }
  role = {
    apiVersion = "resources.teleport.dev/v1"
    kind       = "TeleportRoleV7"
  }
}

resource "teleport_role" "staging" {
  version  = "v7"
  metadata = { name = "staging" }
  spec = {
    options = {
      record_session = merge(local.recording, { ssh = "strict" })
    }
    allow = { logins = ["${var.region}-admin"] }
  }
}

resource "kubectl_manifest" "dev" {
  yaml_body = yamlencode(merge(local.role, {
    metadata = { name = "dev" }
    spec     = { options = { record_session = local.recording } }
  }))
}

resource "kubectl_manifest" "qa" {
  yaml_body = <<-YAML
    ---
    apiVersion: resources.teleport.dev/v1
    kind: TeleportRoleV7
    metadata:
      name: qa
    spec:
      options:
        record_session:
          default: ${local.mode}
  YAML
}

resource "kubernetes_manifest" "ops" {
  manifest = yamldecode(<<-YAML
    apiVersion: resources.teleport.dev/v1
    kind: TeleportRoleV7
    metadata: {name: ops}
    spec: {options: {record_session: ${jsonencode(local.recording)}}}
  YAML
  )
}
