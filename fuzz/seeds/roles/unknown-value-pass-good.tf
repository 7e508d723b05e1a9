bresource "teleport_role" "prod" {
  version  = "v7"
  metadata = { name = "prod" }
  spec = {
    options = {
      record_session = { default = "strict" }
    }
  }
}
