bvariable "mode" {
  type = string
}

resource "teleport_role" "prod" {
  version = "v7"
  metadata = {
    name = "prod-${var.region}"
  }
  spec = {
    options = {
      record_session = {
        default = var.mode
        ssh     = "strict"
      }
    }
  }
}
