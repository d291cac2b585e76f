namespace KubeLB.EmbeddedCluster.Protobuf;

/// <summary>Reads the fields of a protobuf message.</summary>
internal ref struct ProtobufReader(ReadOnlySpan<byte> content)
{
    private readonly ReadOnlySpan<byte> _content = content;
    private int _position;

    /// <summary>Advances to the next field; false at the end.</summary>
    public bool Next(out int number, out int wire)
    {
        if (_position >= _content.Length)
        {
            (number, wire) = (0, 0);
            return false;
        }
        var tag = ReadVarint();
        number = (int)(tag >> 3);
        wire = (int)(tag & 7);
        return true;
    }

    /// <exception cref="FormatException">The field is not a number.</exception>
    public ulong Varint(int wire) => wire == 0 ? ReadVarint() : throw new FormatException($"proto: wrong wireType = {wire}");

    /// <exception cref="FormatException">The field is not length-delimited, or is truncated.</exception>
    public ReadOnlySpan<byte> Bytes(int wire)
    {
        if (wire != 2)
        {
            throw new FormatException($"proto: wrong wireType = {wire}");
        }
        var length = ReadVarint();
        if (length > (ulong)(_content.Length - _position))
        {
            throw new FormatException("unexpected EOF");
        }
        var bytes = _content.Slice(_position, (int)length);
        _position += (int)length;
        return bytes;
    }

    /// <summary>Skips the field; true if it was zero, empty, or a message of such fields.</summary>
    public bool IsZero(int wire)
    {
        switch (wire)
        {
            case 0:
                return ReadVarint() == 0;
            case 2:
                return Bytes(wire).Length == 0;
            case 1 or 5:
                var length = wire == 1 ? 8 : 4;
                if (_content.Length - _position < length)
                {
                    throw new FormatException("unexpected EOF");
                }
                var zero = !_content.Slice(_position, length).ContainsAnyExcept((byte)0);
                _position += length;
                return zero;
            default:
                throw new FormatException($"proto: illegal wireType {wire}");
        }
    }

    private ulong ReadVarint()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            if (_position >= _content.Length)
            {
                throw new FormatException("unexpected EOF");
            }
            var part = _content[_position++];
            value |= (ulong)(part & 0x7f) << shift;
            if (part < 0x80)
            {
                return value;
            }
        }
        throw new FormatException("proto: integer overflow");
    }
}
