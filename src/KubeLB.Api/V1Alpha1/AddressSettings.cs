namespace KubeLB.Api.V1Alpha1;

/// <summary>
/// Which node addresses of a tenant its proxies may send to, in a Config or Tenant. An addition of this project. What neither object
/// speaks of is refused if it is loopback, link-local or otherwise no node's, and used if not.
/// </summary>
public sealed class AddressSettings : Extensible
{
    /// <summary>Ranges (CIDR) that are used although they usually are not.</summary>
    public List<string>? Allow { get; set; }

    /// <summary>Ranges (CIDR) that are not used. Wins over <see cref="Allow"/> of the same object.</summary>
    public List<string>? Deny { get; set; }

    /// <summary>Host names (<c>*</c> stands for any characters) that are used although they usually are not.</summary>
    public List<string>? AllowHostnames { get; set; }

    /// <summary>
    /// Host names (<c>*</c> stands for any characters) that are not used. Wins over <see cref="AllowHostnames"/> of the same object.
    /// </summary>
    public List<string>? DenyHostnames { get; set; }

    /// <summary>How many addresses of a tenant are used at most; absent: 1000.</summary>
    public int? Maximum { get; set; }
}
